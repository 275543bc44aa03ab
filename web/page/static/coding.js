// The page works without this. It puts what is selected in the text into the form, and listens to keys.
(function () {
  "use strict";
  var text = document.getElementById("text"), words = document.getElementById("words"), which = document.getElementById("which");
  if (!text || !words || !which) return;

  // What a stretch of the page holds of the text, without the words that name its marks.
  function said(range) {
    var part = document.createElement("div");
    part.appendChild(range.cloneContents());
    part.querySelectorAll(".tag").forEach(function (tag) { tag.remove(); });
    return part.textContent;
  }
  function same(s) {
    return s.replace(/\s+/g, " ").toLowerCase();
  }
  function take() {
    var selection = document.getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return;
    var range = selection.getRangeAt(0);
    if (!text.contains(range.commonAncestorContainer)) return;
    var before = document.createRange();
    before.selectNodeContents(text);
    var whole = same(said(before));
    before.setEnd(range.startContainer, range.startOffset);
    var raw = said(range), picked = same(raw).trim();
    if (!picked) return;
    var start = same(said(before) + raw.match(/^\s*/)[0]).length, count = 0, place = 1;
    for (var i = whole.indexOf(picked); i >= 0; i = whole.indexOf(picked, i + 1)) {
      count++;
      if (i <= start) place = count;
    }
    words.value = raw.trim();
    which.value = count > 1 ? place : "";
  }
  text.addEventListener("mouseup", take);
  text.addEventListener("touchend", function () { setTimeout(take, 0); });
  text.addEventListener("keyup", take);

  var keys = document.getElementById("keys"), codes = document.getElementById("codes"), on = document.getElementById("keys-on");
  document.getElementById("keys-switch").hidden = false;
  try { on.checked = localStorage.getItem("coding-keys") !== "off"; } catch (e) { /* not kept: on */ }
  on.addEventListener("change", function () {
    try { localStorage.setItem("coding-keys", on.checked ? "on" : "off"); } catch (e) { /* not kept */ }
  });
  function open(details) {
    details.open = !details.open;
    if (details.open) details.querySelector("summary").focus();
  }
  function press(id) {
    var button = document.getElementById(id);
    if (button) button.click();
  }
  function choose(value) {
    var radio = document.querySelector("input[name=polarity][value=" + value + "]");
    if (radio) { radio.checked = true; radio.focus(); }
  }
  var does = {
    "?": function () { open(keys); },
    t: function () { text.focus(); },
    c: function () { document.getElementById("code").focus(); },
    p: function () { choose("positive"); },
    n: function () { choose("negative"); },
    w: function () { take(); words.focus(); },
    a: function () { press("do-add"); },
    d: function () { open(codes); },
    s: function () { press("do-save"); },
    x: function () { press("do-skip"); }
  };
  document.addEventListener("keydown", function (event) {
    var at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (at.closest("textarea,select,input:not([type=radio]):not([type=checkbox])")) return;
    if (!does[event.key] || !on.checked && event.key !== "?") return;
    event.preventDefault();
    does[event.key]();
  });
})();
