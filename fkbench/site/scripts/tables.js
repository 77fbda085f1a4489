// Tables: filters of boards, columns that narrow screens leave out, a mark where more columns stand aside.
(function (page) {
  "use strict";
  var all = page.all;

  // Text anywhere in a row, and per column text or a range of numbers.
  function test(text) {
    var wanted = text.trim().toLowerCase().replace("≤", "<=").replace("≥", ">="), range = /^(-?[\d.]+)\s*\.\.\s*(-?[\d.]+)$/.exec(wanted);
    var side = /^(<=|>=|<|>|=)\s*(-?[\d.]+(?:e-?\d+)?)\s*([kmg]?)$/.exec(wanted);
    function number(cell) { return cell.dataset.sort === undefined || cell.dataset.sort === "" ? NaN : +cell.dataset.sort; }
    if (range) { return function (cell) { var n = number(cell); return n >= +range[1] && n <= +range[2]; }; }
    if (side) {
      var limit = side[2] * ({ k: 1e3, m: 1e6, g: 1e9 }[side[3]] || 1);
      return function (cell) {
        var n = number(cell);
        return side[1] === "<" ? n < limit : side[1] === ">" ? n > limit : side[1] === "<=" ? n <= limit :
          side[1] === ">=" ? n >= limit : n === limit;
      };
    }
    return function (cell) { return cell.textContent.toLowerCase().indexOf(wanted) >= 0; };
  }
  // Says how many rows are left, and has the charts of the board follow, once the reader stops typing.
  page.rowsChanged = function (section) {
    section.querySelector(".count").textContent = page.rowsOf(section).count;
    clearTimeout(section.changed);
    section.changed = setTimeout(function () { section.dispatchEvent(new CustomEvent("rows")); }, 80);
  };
  function filterBoard(section) {
    var table = section.querySelector("table.board"), wanted = section.querySelector(".find").value.trim().toLowerCase();
    var only = section.querySelector(".only").checked, rows = page.list(table.tBodies[0].rows);
    var tests = all(".filters input", table).filter(function (input) { return input.value.trim(); })
      .map(function (input) { return [+input.dataset.column, test(input.value)]; });
    rows.forEach(function (row) {
      row.hidden = only && row.classList.contains("unranked") ||
        Boolean(wanted) && row.textContent.toLowerCase().indexOf(wanted) < 0 ||
        !tests.every(function (pair) { return pair[1](row.cells[pair[0]]); });
    });
    // A filter that holds for no row at all may be a slip: it is marked.
    all(".filters input", table).forEach(function (input) {
      var holds = input.value.trim() ? test(input.value) : function () { return true; };
      input.setAttribute("aria-invalid", String(!rows.some(function (row) { return holds(row.cells[+input.dataset.column]); })));
    });
    page.rowsChanged(section);
  }
  all("section.board").forEach(function (section) {
    var table = section.querySelector("table.board");
    function again() { filterBoard(section); }
    all(".find, .filters input", section).forEach(function (input) { input.addEventListener("input", again); });
    section.querySelector(".only").addEventListener("change", again);
    section.querySelector(".by-column").addEventListener("click", function () {
      var on = page.press(this);
      table.querySelector(".filters").hidden = !on;
      section.querySelector(".hint").hidden = !on;
      if (!on) { all(".filters input", table).forEach(function (input) { input.value = ""; }); again(); }
    });
  });
  all(".all-columns").forEach(function (button) {
    button.addEventListener("click", function () {
      button.closest("section").querySelector("table").classList.toggle("every-column", page.press(button));
    });
  });
  all(".tools").forEach(function (part) { part.hidden = false; });

  // A table that goes on to the right fades out there: many systems hide their scroll bars.
  all(".scroll").forEach(function (part) {
    function mark() {
      part.classList.toggle("goes-on", part.scrollWidth - part.clientWidth - part.scrollLeft > 8);
      part.style.setProperty("--bar", part.offsetWidth - part.clientWidth + "px");
    }
    part.addEventListener("scroll", mark, { passive: true });
    if ("ResizeObserver" in window) {
      var watcher = new ResizeObserver(mark);
      watcher.observe(part);
      watcher.observe(part.querySelector("table"));
    }
    mark();
  });
})(window.fkbench);
