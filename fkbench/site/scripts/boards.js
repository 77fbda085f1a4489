// One board at a time, or all of them; their charts are drawn when the browser has time, at the latest when they come
// into view or go to a printer.
(function (page) {
  "use strict";
  var EAGER = 8;
  var boards = page.all("section.board"), every = document.querySelector(".every"), showAll = boards.length < 2, current = boards[0];
  var idle = window.requestIdleCallback || function (call) { setTimeout(call, 200); };

  function bring(section) {
    var holder = section.querySelector("script.data");
    if (!holder || section.brought) { return; }
    section.brought = true;
    var data = JSON.parse(holder.textContent);
    if (data.ced) {
      if (data.ced.curves.length) { page.drawCurves(section, data.ced); }
      page.followFace(section, data.faces);
    }
    if (data.history) { page.drawHistory(section, data.history); }
  }
  function waiting() {
    return page.all("section .charts").map(function (part) { return part.closest("section"); }).filter(function (section) {
      return !section.hidden && !section.brought && section.querySelector("script.data");
    });
  }
  // One board at a time, so that no click waits; not those of a long page, which would take much memory.
  function whenIdle() {
    idle(function () {
      var next = waiting(), shown = boards.filter(function (section) { return !section.hidden; }).length;
      if (next.length && shown <= EAGER) { bring(next[0]); whenIdle(); }
    }, { timeout: 2000 });
  }
  var watcher = "IntersectionObserver" in window ? new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) { if (entry.isIntersecting) { bring(entry.target.closest("section")); } });
  }, { rootMargin: "300px" }) : null;
  page.all("section .charts").forEach(function (part) { if (watcher) { watcher.observe(part); } else { bring(part.closest("section")); } });
  window.addEventListener("beforeprint", function () { waiting().forEach(bring); });
  boards.forEach(page.followPlot);

  function route() {
    var name = location.hash.slice(1), target = name ? document.getElementById(name) : null;
    // An address of something else, as of the tables at the end, leaves the board that is shown.
    current = target && target.closest("section.board") || (name ? current : boards[0]);
    document.querySelector(".lost").hidden = !name || !!target;
    boards.forEach(function (section) { section.hidden = !showAll && section !== current; });
    page.all("#boards tbody a").forEach(function (link) {
      if (!showAll && link.hash === "#" + current.id) { link.setAttribute("aria-current", "true"); } else { link.removeAttribute("aria-current"); }
    });
    if (target && target.closest("section.board, section.side")) {
      if (target.hidden) { target.hidden = false; page.rowsChanged(target.closest("section")); }
      target.scrollIntoView({ block: target.matches("section") ? "start" : "center" });
    }
    whenIdle();
  }
  if (boards.length) {
    route();
    window.addEventListener("hashchange", route);
    if (boards.length < 2) { every.hidden = true; }
    every.addEventListener("click", function () {
      showAll = page.press(every);
      route();
    });
  } else { whenIdle(); }
})(window.fkbench);
