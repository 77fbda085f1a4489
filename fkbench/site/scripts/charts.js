// Charts of curves, with uPlot; those of a run's training.
(function (page) {
  "use strict";
  var PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];

  page.remove = function (place) {
    if (!place.made) { return; }
    page.charts.splice(page.charts.indexOf(place.made), 1);
    place.made.destroy();
    place.made = undefined;
  };
  page.chart = function (place, series, data, options) {
    var width = place.clientWidth || 480;
    function axis(label, extra) {
      return Object.assign({
        label: label, labelSize: 22, labelFont: "13px sans-serif", font: "12px sans-serif", size: 48,
        stroke: function () { return page.colour("--faint"); },
        grid: { stroke: function () { return page.colour("--line"); }, width: 1 },
        ticks: { stroke: function () { return page.colour("--line"); }, width: 1 }
      }, extra);
    }
    var made = new uPlot({
      width: width, height: Math.round(Math.min(340, Math.max(240, width * 0.62))), series: series,
      scales: { x: { time: false, range: options.xRange }, y: { range: options.yRange, distr: options.log ? 3 : 1 } },
      axes: [axis(options.x, { size: 34 }), axis(options.y, {})],
      cursor: { drag: { x: true, y: false } },
      legend: { live: true, markers: { dash: function (u, i) { return u.series[i].dash ? "dashed" : "solid"; } } }
    }, data, place);
    page.charts.push(made);
    place.made = made;
  };
  page.line = function (name, i, base, digits, unit) {
    return {
      label: name, width: base ? 1.4 : 2, dash: base ? [2, 3] : i >= PALETTE.length ? [8, 4] : undefined, spanGaps: true,
      stroke: base ? function () { return page.colour("--base"); } : PALETTE[i % PALETTE.length], points: { show: false },
      value: function (u, v) { return v === null || v === undefined ? "–" : v.toFixed(digits) + unit; }
    };
  };
  page.drawHistory = function (section, runs) {
    var epochs = [];
    runs.forEach(function (run) { epochs = epochs.concat(run.epoch); });
    epochs = Array.from(new Set(epochs)).sort(function (a, b) { return a - b; });
    function column(run, name) {
      var at = new Map(run.epoch.map(function (epoch, i) { return [epoch, run[name][i]]; }));
      return epochs.map(function (epoch) { return at.has(epoch) ? at.get(epoch) : null; });
    }
    function draw(selector, names, y) {
      var series = [{ label: "epoch" }], columns = [], place = section.querySelector(selector);
      runs.forEach(function (run, n) {
        names.forEach(function (name, k) {
          var values = column(run, name);
          if (values.every(function (v) { return v === null; })) { return; }
          var one = page.line("seed " + run.seed + (names.length > 1 ? (k ? " validation" : " training") : ""), n, false, 4, "");
          if (k) { one.dash = [4, 4]; one.width = 1.5; }
          if (epochs.length < 2) { one.points = { show: true }; }
          series.push(one);
          columns.push(values);
        });
      });
      var numbers = [].concat.apply([], columns).filter(function (v) { return v !== null; });
      if (!numbers.length) { place.textContent = "Not recorded."; return; }
      var least = Math.min.apply(null, numbers), most = Math.max.apply(null, numbers);
      page.chart(place, series, [epochs].concat(columns), { x: "epoch", y: y, log: least > 0 && most / least > 10 });
    }
    draw(".loss", ["train_loss", "val_loss"], "loss");
    draw(".rmse", ["val_rmse"], "px");
  };

  var pending = 0;
  window.addEventListener("resize", function () {
    clearTimeout(pending);
    pending = setTimeout(function () {
      page.charts.forEach(function (one) {
        var width = one.root.parentNode.clientWidth;
        if (width && width !== one.width) { one.setSize({ width: width, height: one.height }); }
      });
    }, 150);
  });
})(window.fkbench);
