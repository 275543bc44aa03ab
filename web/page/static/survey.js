(function () {
  "use strict";
  var out = document.documentElement.getAttribute("data-leave");
  function veil() {
    var v = document.createElement("div");
    v.className = "veil";
    document.body.appendChild(v);
    document.title = "";
  }
  if (out) {
    var leave = function (e) {
      if (e) e.preventDefault();
      veil();
      location.replace(out);
    };
    document.querySelectorAll("[data-leave-now]").forEach(function (a) { a.addEventListener("click", leave); });
    // Shift pressed three times, each within five seconds of the last; any other key begins again.
    var n = 0, timer;
    document.addEventListener("keydown", function (e) {
      if (e.repeat) return;
      clearTimeout(timer);
      n = e.key === "Shift" ? n + 1 : 0;
      if (n === 3) leave();
      timer = setTimeout(function () { n = 0; }, 5000);
    });
    // A page brought back from memory is not shown: it is asked for again.
    addEventListener("pageshow", function (e) { if (e.persisted) { veil(); location.reload(); } });
  }
  // A session that is about to end says so, and goes on at a press.
  var minutes = +document.documentElement.getAttribute("data-minutes"), ending = document.getElementById("ending");
  if (minutes && ending) {
    var say = function () { ending.hidden = false; };
    var wait = setTimeout(say, (minutes - 5) * 6e4);
    ending.querySelector("button").addEventListener("click", function () {
      fetch("/f/stay", { method: "POST" }).then(function (r) {
        if (!r.ok) throw r;
        ending.hidden = true;
        clearTimeout(wait);
        wait = setTimeout(say, (minutes - 5) * 6e4);
      }).catch(function () { ending.lastElementChild.hidden = false; });
    });
  }
  var wrong = document.getElementById("errors");
  if (wrong) wrong.focus();
  // An answer that stands alone clears the others, and they clear it.
  document.querySelectorAll("input[data-alone]").forEach(function (only) {
    document.querySelectorAll('input[name="' + CSS.escape(only.name) + '"]').forEach(function (other) {
      other.addEventListener("change", function () {
        if (!other.checked) return;
        if (other === only) {
          document.querySelectorAll('input[name="' + CSS.escape(only.name) + '"]').forEach(function (o) { if (o !== only) o.checked = false; });
        } else only.checked = false;
      });
    });
  });
  // A form is sent once.
  document.querySelectorAll("form").forEach(function (f) {
    var gone = false;
    f.addEventListener("submit", function (e) { if (gone) e.preventDefault(); gone = true; setTimeout(function () { gone = false; }, 4000); });
  });
})();
