(function () {
  "use strict";
  var out = document.documentElement.getAttribute("data-leave"), left = false;
  function veil() {
    var v = document.createElement("div");
    v.className = "veil";
    document.body.appendChild(v);
    document.title = "";
  }
  if (out) {
    var leave = function (e) {
      if (e) e.preventDefault();
      left = true;
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
  // A form is sent once. Where nothing answers, the page stays, with what was typed.
  document.querySelectorAll("form").forEach(function (f) {
    var gone = false, cut = f.querySelector("[data-cut]");
    f.addEventListener("submit", function (e) {
      if (gone) return e.preventDefault();
      gone = true;
      setTimeout(function () { gone = false; }, 4000);
      var b = e.submitter, data = new URLSearchParams(new FormData(f));
      if (!cut || !b || !self.fetch) return;
      e.preventDefault();
      cut.hidden = true;
      data.append(b.name, b.value);
      fetch(f.action, { method: "POST", body: data, headers: { Prefer: "return=minimal" } }).then(function (r) {
        if (left) return;
        if (r.status === 204) { location.href = r.headers.get("Location"); return; }
        var i = document.createElement("input"); // anything else is a page to be shown: asked for as without script
        i.type = "hidden"; i.name = b.name; i.value = b.value;
        f.appendChild(i);
        f.submit();
      }, function () {
        if (left) return;
        gone = false;
        cut.hidden = false;
        cut.focus();
      });
    });
  });
})();
