// Theme: as the system has it, until another one is chosen; on paper always light.
(function (page) {
  "use strict";
  var root = document.documentElement, dark = window.matchMedia("(prefers-color-scheme: dark)");
  var THEMES = ["auto", "light", "dark"], theme = "auto";
  function remembered() { try { return localStorage.getItem("fkbench-theme"); } catch (error) { return null; } }
  function remember(value) { try { localStorage.setItem("fkbench-theme", value); } catch (error) { /* kept for this page */ } }
  function paint(value) {
    if (value === "auto") { root.removeAttribute("data-theme"); } else { root.setAttribute("data-theme", value); }
    page.charts.forEach(function (chart) { chart.redraw(false, true); });
  }
  function use(value) {
    theme = THEMES.indexOf(value) < 0 ? "auto" : value;
    page.all(".theme span").forEach(function (part) { part.textContent = theme; });
    paint(theme);
  }
  page.colour = function (name) { return getComputedStyle(root).getPropertyValue(name).trim(); };
  page.all(".theme").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      use(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
      remember(theme);
    });
  });
  dark.addEventListener("change", function () { paint(theme); });
  window.addEventListener("beforeprint", function () { paint("light"); });
  window.addEventListener("afterprint", function () { paint(theme); });
  use(remembered());
})(window.fkbench);
