// Error against throughput, and error per point: pictures that stand on the page, and follow the filters of the table.
(function (page) {
  "use strict";
  // Lengths as in pareto.py, which draws the same names before anything is filtered; the width as in style.css.
  var LABEL_LETTERS = 22, TOP = 22, FEW = 12, narrow = window.matchMedia("(max-width: 40rem)");

  function dotOf(link) {
    var circle = link.querySelector("circle");
    return {
      link: link, circle: circle, id: link.getAttribute("href").slice(1), x: +circle.getAttribute("cx"), y: +circle.getAttribute("cy"),
      counts: !circle.classList.contains("open"), best: circle.classList.contains("best")
    };
  }
  // Those that no other one beats in both, fastest last; down is better.
  function front(dots) {
    var best = [];
    dots.filter(function (dot) { return dot.counts; }).sort(function (a, b) { return b.x - a.x || b.y - a.y; }).forEach(function (dot) {
      if (!best.length || dot.y > best[best.length - 1].y) { best.push(dot); }
    });
    return best.reverse();
  }
  function drawn(svg, name, attributes) {
    var part = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.keys(attributes).forEach(function (key) { part.setAttribute(key, attributes[key]); });
    svg.append(part);
    return part;
  }
  function steps(best) {
    return best.map(function (dot, i) { return i ? "V" + dot.y + "H" + dot.x : "M" + dot.x + " " + dot.y; }).join("");
  }
  // Names of points, where they fit without covering one another or a point.
  function label(svg, named, dots) {
    // On narrow screens letters are larger beside the points.
    var letter = narrow.matches ? 9.4 : 6.6, height = narrow.matches ? 19 : 14;
    var wide = svg.viewBox.baseVal.width, taken = dots.map(function (dot) { return [dot.x - 5, dot.x + 5, dot.y + 4]; });
    named.forEach(function (dot) {
      var words = page.nameOf(dot.id, LABEL_LETTERS), width = letter * Array.from(words).length;
      var left = dot.x + 8 + width < wide ? dot.x + 8 : dot.x - 8 - width, at = dot.y - 9 < TOP ? dot.y + 18 : dot.y - 9;
      if (taken.some(function (t) { return Math.abs(at - t[2]) < height && left < t[1] && t[0] < left + width; })) { return; }
      taken.push([left, left + width, at]);
      drawn(svg, "text", { "class": "name now", x: left, y: at }).textContent = words;
    });
  }
  page.followPlot = function (section) {
    var svg = section.querySelector("svg.chart");
    if (!svg) { return; }
    var dots = page.all("a", svg).map(dotOf);
    function follow() {
      var rows = page.rowsOf(section), shown = dots.filter(function (dot) { return rows.shows(dot.id); });
      var best = rows.filtered ? front(shown) :
        dots.filter(function (dot) { return dot.best; }).sort(function (a, b) { return a.x - b.x; });
      page.all(".now", svg).forEach(function (part) { part.remove(); });
      svg.classList.toggle("drawn-again", rows.filtered || narrow.matches);
      dots.forEach(function (dot) {
        var away = shown.indexOf(dot) < 0;
        dot.link.classList.toggle("away", away);
        // What the table does not show is out of the keyboard's way, too.
        [["tabindex", "-1"], ["aria-hidden", "true"]].forEach(function (pair) {
          if (away) { dot.link.setAttribute(pair[0], pair[1]); } else { dot.link.removeAttribute(pair[0]); }
        });
        dot.circle.classList.toggle("best", best.indexOf(dot) >= 0);
      });
      section.querySelector(".plot-rows").textContent = rows.filtered ? " · " + rows.count : "";
      if (!rows.filtered && !narrow.matches) { return; }
      var path = drawn(svg, "path", { "class": "front now", d: steps(best) });
      svg.insertBefore(path, dots[0].link);
      var others = shown.filter(function (dot) { return best.indexOf(dot) < 0; });
      label(svg, shown.length > FEW || !rows.filtered ? best : best.concat(others), shown);
    }
    section.addEventListener("rows", follow);
    narrow.addEventListener("change", follow);
    follow();
  };

  page.followFace = function (section, faces) {
    var pick = section.querySelector(".pick");
    if (!pick) { return; }
    function draw() {
      var errors = faces.errors[pick.value], most = errors.length <= 30 ? 5 : 2.6, spread = faces.high - faces.low;
      page.all(".face circle", section).forEach(function (disc, i) {
        var v = errors[i], known = v !== null, k = known && spread > 0 ? Math.floor(5 * (v - faces.low) / spread) : 0;
        disc.setAttribute("class", "q" + Math.max(0, Math.min(4, k)));
        disc.setAttribute("r", known && faces.high > 0 ? (most * Math.sqrt(v / faces.high)).toFixed(2) : "0.6");
        disc.setAttribute("data-tip", i + " " + faces.names[i] + ": " + (known ? v.toFixed(3) + " px" : "not labelled"));
      });
    }
    var own = pick.value;
    pick.addEventListener("change", function () { own = pick.value; draw(); });
    function follow() {
      var rows = page.rowsOf(section), options = page.list(pick.options);
      options.forEach(function (option) { option.hidden = option.disabled = !rows.shows(section.id + "-r" + option.value); });
      // The reader's own choice comes back with its row.
      var left = options.filter(function (option) { return !option.disabled; });
      var wanted = left.filter(function (option) { return option.value === own; })[0] || left[0];
      pick.disabled = !wanted;
      if (wanted && pick.value !== wanted.value) { pick.value = wanted.value; draw(); }
    }
    section.addEventListener("rows", follow);
    follow();
  };
})(window.fkbench);
