(function () {
  "use strict";
  var wrong = document.getElementById("errors");
  if (wrong) wrong.focus();
  document.querySelectorAll("form").forEach(function (f) {
    var gone = false;
    f.addEventListener("submit", function (e) { if (gone) e.preventDefault(); gone = true; setTimeout(function () { gone = false; }, 4000); });
  });
})();
