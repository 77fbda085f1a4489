(function () {
  "use strict";
  var root = document.documentElement, dark = window.matchMedia("(prefers-color-scheme: dark)");
  var PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];
  var charts = [];

  function all(selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); }
  function colour(name) { return getComputedStyle(root).getPropertyValue(name).trim(); }

  // Theme: as the system has it, until another one is chosen.
  var THEMES = ["auto", "light", "dark"], theme = "auto";
  function remembered() { try { return localStorage.getItem("fkbench-theme"); } catch (error) { return null; } }
  function remember(value) { try { localStorage.setItem("fkbench-theme", value); } catch (error) { /* kept for this page */ } }
  function useTheme(value) {
    theme = THEMES.indexOf(value) < 0 ? "auto" : value;
    if (theme === "auto") { root.removeAttribute("data-theme"); } else { root.setAttribute("data-theme", theme); }
    all(".theme span").forEach(function (part) { part.textContent = theme; });
    charts.forEach(function (chart) { chart.redraw(false, true); });
  }
  all(".theme").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      useTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
      remember(theme);
    });
  });
  dark.addEventListener("change", function () { useTheme(theme); });

  // Filters: text anywhere in a row, and per column text or a range of numbers.
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
  function filterBoard(section) {
    var table = section.querySelector("table.board"), wanted = section.querySelector(".find").value.trim().toLowerCase();
    var only = section.querySelector(".only").checked, shown = 0;
    var tests = all(".filters input", table).filter(function (input) { return input.value.trim(); })
      .map(function (input) { return [+input.dataset.column, test(input.value)]; });
    var rows = Array.prototype.slice.call(table.tBodies[0].rows);
    rows.forEach(function (row) {
      var keep = !(only && row.classList.contains("unranked")) &&
        (!wanted || row.textContent.toLowerCase().indexOf(wanted) >= 0) &&
        tests.every(function (pair) { return pair[1](row.cells[pair[0]]); });
      row.hidden = !keep;
      shown += keep ? 1 : 0;
    });
    // A filter that holds for no row at all may be a slip: it is marked.
    all(".filters input", table).forEach(function (input) {
      var holds = input.value.trim() ? test(input.value) : function () { return true; };
      input.setAttribute("aria-invalid", String(!rows.some(function (row) { return holds(row.cells[+input.dataset.column]); })));
    });
    section.querySelector(".count").textContent = shown + " of " + rows.length + " rows";
  }
  all("section.board").forEach(function (section) {
    var table = section.querySelector("table.board");
    function again() { filterBoard(section); }
    all(".find, .only, .filters input", section).forEach(function (input) {
      input.addEventListener("input", again);
      input.addEventListener("change", again);
    });
    section.querySelector(".by-column").addEventListener("click", function () {
      var on = press(this);
      table.querySelector(".filters").hidden = !on;
      section.querySelector(".hint").hidden = !on;
      if (!on) { all(".filters input", table).forEach(function (input) { input.value = ""; }); again(); }
    });
    section.querySelector(".all-columns").addEventListener("click", function () {
      table.classList.toggle("every-column", press(this));
    });
  });
  function press(button) {
    var on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    return on;
  }
  all(".tools").forEach(function (part) { part.hidden = false; });

  // Hover and focus.
  var tip = document.getElementById("tip");
  function showTip(target, x, y) {
    tip.textContent = target.getAttribute("data-tip");
    tip.hidden = false;
    tip.style.left = Math.max(4, Math.min(x + 12, innerWidth - tip.offsetWidth - 8)) + "px";
    tip.style.top = Math.max(4, y + 16 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 12 : y + 16) + "px";
  }
  function tipped(event) { return event.target.closest ? event.target.closest("[data-tip]") : null; }
  document.addEventListener("pointermove", function (event) {
    var target = tipped(event);
    if (target) { showTip(target, event.clientX, event.clientY); } else { tip.hidden = true; }
  });
  document.addEventListener("focusin", function (event) {
    var target = tipped(event);
    if (!target) { tip.hidden = true; return; }
    var box = target.getBoundingClientRect();
    showTip(target, box.right, box.top);
  });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { tip.hidden = true; } });
  document.addEventListener("scroll", function () { tip.hidden = true; }, true);

  // Charts.
  function chart(place, series, data, options) {
    var width = place.clientWidth || 480;
    function axis(label, extra) {
      return Object.assign({
        label: label, labelSize: 22, labelFont: "13px sans-serif", font: "12px sans-serif", size: 48,
        stroke: function () { return colour("--faint"); },
        grid: { stroke: function () { return colour("--line"); }, width: 1 },
        ticks: { stroke: function () { return colour("--line"); }, width: 1 }
      }, extra);
    }
    var made = new uPlot({
      width: width, height: Math.round(Math.min(340, Math.max(240, width * 0.62))), series: series,
      scales: { x: { time: false, range: options.xRange }, y: { range: options.yRange, distr: options.log ? 3 : 1 } },
      axes: [axis(options.x, { size: 34 }), axis(options.y, {})],
      cursor: { drag: { x: true, y: false } },
      legend: { live: true, markers: { dash: function (u, i) { return u.series[i].dash ? "dashed" : "solid"; } } }
    }, data, place);
    charts.push(made);
    place.made = made;
  }
  function line(name, i, base, digits, unit) {
    return {
      label: name, width: base ? 1.4 : 2, dash: base ? [2, 3] : i >= PALETTE.length ? [8, 4] : undefined, spanGaps: true,
      stroke: base ? function () { return colour("--base"); } : PALETTE[i % PALETTE.length], points: { show: false },
      value: function (u, v) { return v === null || v === undefined ? "–" : v.toFixed(digits) + unit; }
    };
  }
  // Cumulative error: a chart of the chosen rows. A row keeps its colour while others come and go.
  var BASE_DASHES = [[2, 3], [7, 4], [9, 3, 2, 3]];
  function freeSlot(curves) {
    var taken = curves.filter(function (c) { return c.on && c.slot !== undefined; }).map(function (c) { return c.slot; });
    for (var slot = 0; taken.indexOf(slot) >= 0; slot++) { /* the least that is free */ }
    return slot;
  }
  function plotCed(place, data) {
    if (place.made) {
      charts.splice(charts.indexOf(place.made), 1);
      place.made.destroy();
      place.made = undefined;
    }
    var x = [], i, bases = 0, chosen = data.ced.curves.filter(function (curve) { return curve.on; });
    for (i = 0; i <= data.ced.steps; i++) { x.push(+(i * data.ced.end / data.ced.steps).toFixed(4)); }
    var series = [{ label: "error", value: function (u, v) { return v === null || v === undefined ? "–" : v.toFixed(1) + " %"; } }];
    chosen.forEach(function (curve) {
      var one = line(curve.name, curve.slot || 0, curve.base, 1, " %");
      if (curve.base) { one.dash = BASE_DASHES[bases++ % BASE_DASHES.length]; }
      series.push(one);
    });
    chart(place, series, [x].concat(chosen.map(function (curve) { return curve.y; })),
      { x: "NME, %", y: "images, %", xRange: [0, data.ced.end], yRange: [0, 101] });
  }
  function drawCed(section, data) {
    var place = section.querySelector(".ced");
    if (!place || place.made || !data.ced.curves.length) { return; }
    var curves = data.ced.curves, picker = section.querySelector(".picker"), boxes = [];
    function set(curve, on) {
      if (on && !curve.on && !curve.base) { curve.slot = freeSlot(curves); }
      curve.on = on;
    }
    function choose(wanted) {
      curves.forEach(function (curve) { curve.on = false; });
      curves.forEach(function (curve, n) { set(curve, wanted(curve)); boxes[n].checked = curve.on; });
      plotCed(place, data);
    }
    curves.forEach(function (curve) {
      var label = document.createElement("label"), box = document.createElement("input"), name = document.createElement("bdi");
      curve.usual = curve.on;
      box.type = "checkbox";
      name.textContent = curve.name;
      label.append(box, " ", name);
      picker.querySelector(".choices").append(label);
      boxes.push(box);
      box.addEventListener("change", function () { set(curve, box.checked); plotCed(place, data); });
    });
    picker.querySelector(".usual").addEventListener("click", function () { choose(function (curve) { return curve.usual; }); });
    picker.querySelector(".none").addEventListener("click", function () { choose(function () { return false; }); });
    picker.hidden = false;
    choose(function (curve) { return curve.usual; });
  }
  function drawHistory(section, data) {
    var epochs = [], runs = data.history;
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
          var one = line("seed " + run.seed + (names.length > 1 ? (k ? " validation" : " training") : ""), n, false, 4, "");
          if (k) { one.dash = [4, 4]; one.width = 1.5; }
          if (epochs.length < 2) { one.points = { show: true }; }
          series.push(one);
          columns.push(values);
        });
      });
      var numbers = [].concat.apply([], columns).filter(function (v) { return v !== null; });
      if (!numbers.length) { place.textContent = "Not recorded."; return; }
      var least = Math.min.apply(null, numbers), most = Math.max.apply(null, numbers);
      chart(place, series, [epochs].concat(columns), { x: "epoch", y: y, log: least > 0 && most / least > 10 });
    }
    draw(".loss", ["train_loss", "val_loss"], "loss");
    draw(".rmse", ["val_rmse"], "px");
  }
  function faces(section, data) {
    var pick = section.querySelector(".pick");
    if (!pick || pick.ready) { return; }
    pick.ready = true;
    pick.disabled = false;
    pick.addEventListener("change", function () {
      var errors = data.faces.errors[pick.value], most = errors.length <= 30 ? 5 : 2.6, spread = data.faces.high - data.faces.low;
      all(".face circle", section).forEach(function (disc, i) {
        var v = errors[i], known = v !== null, k = known && spread > 0 ? Math.floor(5 * (v - data.faces.low) / spread) : 0;
        disc.setAttribute("class", "q" + Math.max(0, Math.min(4, k)));
        disc.setAttribute("r", known && data.faces.high > 0 ? (most * Math.sqrt(v / data.faces.high)).toFixed(2) : "0.6");
        disc.setAttribute("data-tip", i + " " + data.faces.names[i] + ": " + (known ? v.toFixed(3) + " px" : "not labelled"));
      });
    });
  }
  function bring(section) {
    var holder = section.querySelector("script.data");
    if (!holder || section.brought) { return; }
    section.brought = true;
    var data = JSON.parse(holder.textContent);
    if (data.ced) { drawCed(section, data); faces(section, data); }
    if (data.history) { drawHistory(section, data); }
  }

  // One board at a time, or all of them; charts are drawn when they come into view.
  var boards = all("section.board"), every = document.querySelector(".every"), showAll = boards.length < 2;
  var watcher = "IntersectionObserver" in window ? new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) { if (entry.isIntersecting) { bring(entry.target.closest("section")); } });
  }, { rootMargin: "300px" }) : null;
  all("section .charts").forEach(function (part) { if (watcher) { watcher.observe(part); } else { bring(part.closest("section")); } });
  function route() {
    var name = location.hash.slice(1), target = name ? document.getElementById(name) : null;
    var wanted = target && target.closest("section.board") || boards[0];
    document.querySelector(".lost").hidden = !name || !!target;
    boards.forEach(function (section) { section.hidden = !showAll && section !== wanted; });
    if (target && target.closest("section.board, section.side")) {
      if (target.hidden) { target.hidden = false; }
      target.scrollIntoView({ block: target.matches("section") ? "start" : "center" });
    }
  }
  if (boards.length) {
    route();
    window.addEventListener("hashchange", route);
    if (boards.length < 2) { every.hidden = true; }
    every.addEventListener("click", function () {
      showAll = press(every);
      route();
    });
  }
  var pending = 0;
  window.addEventListener("resize", function () {
    clearTimeout(pending);
    pending = setTimeout(function () {
      charts.forEach(function (one) {
        var width = one.root.parentNode.clientWidth;
        if (width && width !== one.width) { one.setSize({ width: width, height: one.height }); }
      });
    }, 150);
  });
  useTheme(remembered());
})();
