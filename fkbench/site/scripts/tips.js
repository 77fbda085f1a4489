// What hovering and the keyboard's focus tell of a point in a picture.
(function () {
  "use strict";
  var tip = document.getElementById("tip");
  function show(target, x, y) {
    tip.textContent = target.getAttribute("data-tip");
    tip.hidden = false;
    tip.style.left = Math.max(4, Math.min(x + 12, innerWidth - tip.offsetWidth - 8)) + "px";
    tip.style.top = Math.max(4, y + 16 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 12 : y + 16) + "px";
  }
  function hide() { tip.hidden = true; }
  function tipped(event) { return event.target.closest ? event.target.closest("[data-tip]") : null; }
  document.addEventListener("pointermove", function (event) {
    var target = tipped(event);
    if (target) { show(target, event.clientX, event.clientY); } else { hide(); }
  });
  document.addEventListener("focusin", function (event) {
    var target = tipped(event);
    if (!target) { hide(); return; }
    var box = target.getBoundingClientRect();
    show(target, box.right, box.top);
  });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { hide(); } });
  document.addEventListener("scroll", hide, true);
  window.addEventListener("beforeprint", hide);
})();
