// The pages work without this. It moves to what is wrong, prints, and keeps a form from being sent twice.
(function () {
  "use strict";
  var wrong = document.getElementById("errors");
  if (wrong) wrong.focus();
  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { print(); });
  });
  document.querySelectorAll("form[method=post]").forEach(function (form) {
    var gone = false;
    form.addEventListener("submit", function (event) {
      if (gone) event.preventDefault();
      gone = true;
      setTimeout(function () { gone = false; }, 4000);
    });
  });
})();
