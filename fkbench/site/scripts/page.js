// What the other scripts use. Each of them adds what others call to this object, their only name outside.
window.fkbench = (function () {
  "use strict";
  function list(things) { return Array.prototype.slice.call(things); }
  function all(selector, within) { return list((within || document).querySelectorAll(selector)); }
  function press(button) {
    var on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    return on;
  }
  // The rows of a board that its filters leave. Rows are named by the ids that they have in its table.
  function rowsOf(section) {
    var table = section.querySelector("table.board"), rows = table ? list(table.tBodies[0].rows) : [];
    var left = rows.filter(function (row) { return !row.hidden; });
    return {
      shows: function (id) { var row = document.getElementById(id); return !row || !row.hidden; },
      filtered: left.length < rows.length,
      count: left.length + " of " + rows.length + " rows"
    };
  }
  function nameOf(id, most) {
    var cell = document.querySelector("#" + CSS.escape(id) + " .model bdi"), letters = cell ? Array.from(cell.textContent) : [];
    return letters.length <= most ? letters.join("") : letters.slice(0, most - 1).join("") + "…";
  }
  return { list: list, all: all, press: press, rowsOf: rowsOf, nameOf: nameOf, charts: [] };
})();
