// Cumulative error: the curves of chosen rows, of those that the table shows. A row keeps its colour while others
// come and go.
(function (page) {
  "use strict";
  var BASE_DASHES = [[2, 3], [7, 4], [9, 3, 2, 3]], LONGEST_NAME = 60;

  function plot(place, ced) {
    var x = [], i, bases = 0, chosen = ced.curves.filter(function (curve) { return curve.on; });
    page.remove(place);
    for (i = 0; i <= ced.steps; i++) { x.push(+(i * ced.end / ced.steps).toFixed(4)); }
    var series = [{ label: "error", value: function (u, v) { return v === null || v === undefined ? "–" : v.toFixed(1) + " %"; } }];
    chosen.forEach(function (curve) {
      var one = page.line(curve.name, curve.slot || 0, curve.base, 1, " %");
      if (curve.base) { one.dash = BASE_DASHES[bases++ % BASE_DASHES.length]; }
      series.push(one);
    });
    page.chart(place, series, [x].concat(chosen.map(function (curve) { return curve.y; })),
      { x: "NME, %", y: "images, %", xRange: [0, ced.end], yRange: [0, 101] });
  }
  // Colours are given again only when their rows are gone; a row that comes back has its own if that is free.
  function colours(curves) {
    var taken = curves.filter(function (curve) { return curve.on && curve.was; }).map(function (curve) { return curve.slot; });
    curves.forEach(function (curve) {
      if (!curve.on || curve.was || curve.base) { return; }
      if (curve.slot === undefined || taken.indexOf(curve.slot) >= 0) {
        for (curve.slot = 0; taken.indexOf(curve.slot) >= 0; curve.slot++) { /* the least that is free */ }
      }
      taken.push(curve.slot);
    });
  }
  // The reader's own choice of a row holds; of all others the first ones are drawn.
  function choose(ced, rows) {
    var entries = 0, bases = 0, changed = false;
    ced.curves.forEach(function (curve) {
      curve.was = curve.on;
      curve.shown = rows.shows(curve.id);
      var usual = curve.shown && (curve.base ? bases++ < ced.bases : entries++ < ced.most);
      curve.on = curve.shown && (curve.own === undefined ? usual : curve.own);
      changed = changed || curve.on !== curve.was;
    });
    colours(ced.curves);
    return changed;
  }
  page.drawCurves = function (section, ced) {
    var place = section.querySelector(".ced"), picker = section.querySelector(".picker"), note = section.querySelector(".no-curve");
    if (!place || place.made) { return; }
    function follow() {
      var rows = page.rowsOf(section), changed = choose(ced, rows);
      ced.curves.forEach(function (curve) {
        curve.box.checked = curve.on;
        curve.box.parentNode.hidden = !curve.shown;
      });
      section.querySelector(".ced-rows").textContent = rows.filtered ? " · " + rows.count : "";
      note.hidden = ced.curves.some(function (curve) { return curve.on; });
      if (changed || !place.made) { plot(place, ced); }
    }
    function own(curves, value) {
      curves.forEach(function (curve) { curve.own = value; });
      follow();
    }
    ced.curves.forEach(function (curve) {
      var label = document.createElement("label"), box = document.createElement("input"), name = document.createElement("bdi");
      curve.id = section.id + "-r" + curve.row;
      curve.name = page.nameOf(curve.id, LONGEST_NAME);
      curve.box = box;
      box.type = "checkbox";
      name.textContent = curve.name;
      label.append(box, " ", name);
      picker.querySelector(".choices").append(label);
      box.addEventListener("change", function () { own([curve], box.checked); });
    });
    picker.querySelector(".usual").addEventListener("click", function () { own(ced.curves, undefined); });
    picker.querySelector(".none").addEventListener("click", function () { own(ced.curves, false); });
    picker.hidden = false;
    section.addEventListener("rows", follow);
    follow();
  };
})(window.fkbench);
