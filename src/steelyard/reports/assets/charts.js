// Charts in cards: a title, a legend that shows the values under the pointer, switches, and a uPlot
// chart that fits its card, follows the theme and shares its range with others.
"use strict";

(() => {
  const { steelyard, uPlot } = window;
  const { colors, element, number, moment } = steelyard;
  const FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
  const NARROW_PX = 560;
  const PRINT_PX = 690;
  const RIGHT_PX = 22;
  const STEPS = [1, 2, 5];
  const TIME_STEPS = [
    ...[-5, -4, -3, -2, -1].flatMap((power) => STEPS.map((step) => step * 10 ** power)),
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400,
  ];
  const WHOLE_STEPS = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((power) => STEPS.map((step) => step * 10 ** power));
  const all = [];
  let printing = false;

  // Axes ------------------------------------------------------------------------------------------

  /** Labels for a time axis of a run that lasts `longest` seconds. */
  function timeAxis(longest) {
    return {
      incrs: TIME_STEPS,
      space: (u) => (u.width < NARROW_PX ? 62 : 84),
      values: (u, splits, axis, space, step) => splits.map((at) => moment(at, step, longest)),
    };
  }

  /** Labels for counts and rates: `0`, `250`, `1.5k`, `2M`. */
  function numberLabels(u, splits) {
    const most = Math.max(...splits.map(Math.abs));
    const [unit, size] = most >= 1e6 ? ["M", 1e6] : most >= 1e4 ? ["k", 1e3] : ["", 1];
    return splits.map((value) => (value === 0 ? "0" : `${trimmed(value / size)}${unit}`));
  }

  /** Labels for latencies in ms, all in the unit that suits the largest; `each`: every one its own. */
  function latencyLabels(u, splits, { each = false } = {}) {
    const most = Math.max(...splits.map(Math.abs));
    return splits.map((ms) => {
      if (ms === 0 && !each) return "0";
      const inSeconds = (each ? ms : most) >= 1000;
      return inSeconds ? `${trimmed(ms / 1000)} s` : `${trimmed(ms)} ms`;
    });
  }

  function trimmed(value) {
    return Number(value.toPrecision(4)).toLocaleString("en-US", { maximumFractionDigits: 6 });
  }

  /** Round places from `low` to `high` for a logarithmic axis: about as many for any width. */
  function logSplits(low, high) {
    const decades = Math.log10(high / low);
    if (decades < 1) return evenSplits(low, high);
    const steps = decades > 4 ? [1] : decades > 2.2 ? [1, 3] : STEPS;
    const found = [];
    for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
      for (const step of steps) {
        const at = Number((step * 10 ** power).toPrecision(6));
        if (at >= low * 0.9999 && at <= high * 1.0001) found.push(at);
      }
    }
    return found;
  }

  function evenSplits(low, high) {
    const rough = (high - low) / 8;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
    const found = [];
    for (let at = Math.ceil(low / step); at * step <= high; at++) found.push(Number((at * step).toPrecision(8)));
    return found;
  }

  function axis(settings) {
    return {
      font: FONT,
      stroke: () => colors.muted,
      grid: { stroke: () => colors.grid, width: 1 },
      ticks: { show: false },
      gap: 6,
      ...settings,
    };
  }

  // Cards -----------------------------------------------------------------------------------------

  /** An empty card; `legend`: [{name, color, shape}] with the shapes that the style knows. */
  function card({ title, unit = "", hint = "", legend = [], switches = [], keys = true }) {
    const values = legend.map(() => element("b", { className: "value" }));
    const items = legend.map(({ name, color, shape = "" }, index) => {
      const swatch = color
        ? element("i", { className: `swatch ${shape}` })
        : null;
      swatch?.style.setProperty("--swatch", `var(--${color})`);
      return element("span", { className: "item" }, swatch, name || null, values[index]);
    });
    const plot = element("div", {
      className: "plot",
      tabIndex: 0,
      role: "group",
      "aria-label": `${title}${unit ? `, ${unit}` : ""}. ${hint} ${keys ? "Keys: plus and minus zoom, arrows pan, 0 shows everything." : ""}`,
    });
    const root = element(
      "section",
      { className: "card chart" },
      element(
        "header",
        {},
        element("h2", {}, title, unit ? element("small", { textContent: unit }) : null),
        element("div", { className: "legend" }, ...items),
        ...switches,
      ),
      plot,
      hint ? element("p", { className: "note", textContent: hint }) : null,
    );
    return { root, plot, values };
  }

  /**
   * A uPlot chart in `plot` that is built anew by `rebuild()`. `options(width)` gives uPlot's
   * options without sizes; `ready(u)` is called for every instance.
   */
  function mount({ plot, height, options, data, ready = () => {} }) {
    const chart = { plot, u: null, rebuild };
    const widthNow = () => (printing ? PRINT_PX : plot.clientWidth);
    const heightNow = () => (typeof height === "function" ? height(widthNow()) : height);

    function rebuild() {
      chart.u?.destroy();
      plot.querySelector(".uplot")?.remove();
      const width = Math.max(widthNow(), 120);
      chart.u = new uPlot({ width, height: heightNow(), ...options(width) }, data(), plot);
      ready(chart.u);
    }

    function fit() {
      const width = widthNow();
      if (width < 40) return;
      if (width < NARROW_PX !== chart.u.width < NARROW_PX) rebuild();
      else if (width !== chart.u.width) chart.u.setSize({ width, height: heightNow() });
    }

    chart.fit = fit;
    chart.resize = () => chart.u.setSize({ width: chart.u.width, height: heightNow() });
    rebuild();
    new ResizeObserver(() => !printing && fit()).observe(plot);
    steelyard.onTheme(() => chart.u.redraw(true, true));
    all.push(chart);
    return chart;
  }

  /** Options that all charts have; `x`, `y`: scales and axes of the two directions. */
  function frame(width, { x, y, series, cursor = {}, hooks = {} }) {
    const narrow = width < NARROW_PX;
    return {
      legend: { show: false },
      padding: [8, narrow ? 12 : RIGHT_PX, 0, 0],
      pxAlign: 1,
      cursor: {
        y: false,
        drag: { x: false, y: false, setScale: false },
        points: { size: 7, width: 1.5, fill: () => colors.card },
        ...cursor,
      },
      scales: { x: { time: false, ...x.scale }, y: y.scale },
      axes: [
        axis({ size: 26, ...x.axis }),
        axis({ size: narrow ? 46 : 62, space: 30, ...y.axis }),
      ],
      series: [{}, ...series],
      hooks,
    };
  }

  // Charts over time ------------------------------------------------------------------------------

  /**
   * A chart over the run's time. `time`: {range, longest, steady} that all of them share, and what
   * is told the time under the pointer (null: it is elsewhere), `point(seconds)`.
   * `series`: uPlot series with `color`; `data()`: as uPlot wants it; `show(values, u)`: writes the
   * legend for the place under the pointer, by default each series' value through `text`.
   */
  function timeChart(into, time, spec) {
    const { range, longest, steady } = time;
    const parts = card(spec);
    into.append(parts.root);
    const show = spec.show ?? ((u, at) => seriesValues(u, at, spec.text ?? number));
    const chart = mount({
      plot: parts.plot,
      height: spec.height,
      data: spec.data,
      options: (width) =>
        frame(width, {
          x: { scale: { range: () => [range.from, range.to] }, axis: timeAxis(longest) },
          y: spec.y(width),
          series: spec.series,
          cursor: spec.cursor,
          hooks: {
            drawClear: [(u) => shade(u, steady)],
            draw: [...(spec.paint ? [spec.paint] : []), (u) => fence(u, steady)],
            setCursor: [
              (u) => {
                const inside = u.cursor.left >= 0;
                const at = inside ? u.posToVal(u.cursor.left, "x") : null;
                const texts = inside ? show(u, at) : [];
                parts.values.forEach((value, index) => (value.textContent = texts[index] ?? ""));
              },
            ],
          },
        }),
      ready: (u) => {
        steelyard.attach({
          plot: parts.plot,
          over: u.over,
          range,
          valueAt: (px) => u.posToVal(px, "x"),
          ...spec.gestures,
        });
        u.over.addEventListener("mousemove", () => pointAt(time, u));
        u.over.addEventListener("mouseleave", () => pointAt(time, u));
        spec.ready?.(u);
      },
    });
    (time.charts ??= []).push(chart);
    steelyard.attachKeys({ plot: parts.plot, range });
    drawWhenSeen(chart, range, () => {
      spec.beforeDraw?.();
      chart.u.setScale("x", { min: range.from, max: range.to });
    });
    return Object.assign(chart, parts, { title: spec.title });
  }

  /** Moves the line of all charts to the time under the pointer in `source`, or takes it away. */
  function pointAt(time, source) {
    const { left } = source.cursor;
    const seconds = left >= 0 ? source.posToVal(left, "x") : null;
    time.point?.(seconds);
    for (const { u } of time.charts) {
      if (u === source) continue;
      u.setCursor({ left: seconds === null ? -10 : u.valToPos(seconds, "x"), top: 0 });
    }
  }

  /** Draws on every change of `range` while the chart is on the screen, else when it gets there. */
  function drawWhenSeen(chart, range, draw) {
    let seen = true;
    let stale = false;
    chart.refresh = () => {
      stale = false;
      draw();
    };
    range.listen(() => {
      if (seen) chart.refresh();
      else stale = true;
    });
    const watch = ([...entries]) => {
      seen = entries.at(-1).isIntersecting;
      if (seen && stale) chart.refresh();
    };
    new IntersectionObserver(watch, { rootMargin: "150px" }).observe(chart.plot);
  }

  /** The texts of all series at the place that the cursor of each is on. */
  function seriesValues(u, at, text) {
    return u.data.slice(1).map((values, series) => {
      const value = values[u.cursor.idxs[series + 1] ?? -1];
      return value === null || value === undefined ? "–" : text(value);
    });
  }

  function shade(u, steady) {
    if (!steady) return;
    const { ctx, bbox } = u;
    const left = Math.max(u.valToPos(steady[0], "x", true), bbox.left);
    const right = Math.min(u.valToPos(steady[1], "x", true), bbox.left + bbox.width);
    if (right <= left) return;
    ctx.save();
    ctx.fillStyle = colors.steady;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.restore();
  }

  /** The ends of the steady window, over everything else. */
  function fence(u, steady) {
    if (!steady) return;
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = colors["steady-ink"];
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const end of steady) {
      const x = Math.round(u.valToPos(end, "x", true)) + 0.5;
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  /** Shows `tip` beside a place of the plotting area, inside of it. */
  function placeTip(u, tip, x, y) {
    tip.hidden = false;
    const { clientWidth: width, clientHeight: height } = u.over;
    const { offsetWidth, offsetHeight } = tip;
    const left = x + 16 + offsetWidth > width ? Math.max(x - 16 - offsetWidth, 0) : x + 16;
    tip.style.left = `${Math.max(0, Math.min(left, width - offsetWidth))}px`;
    tip.style.top = `${Math.max(0, Math.min(y + 12, height - offsetHeight))}px`;
  }

  // Printing --------------------------------------------------------------------------------------

  function setPrinting(now) {
    printing = now;
    steelyard.setPrinting(now);
    all.forEach((chart) => {
      chart.fit();
      chart.refresh?.();
    });
  }
  addEventListener("beforeprint", () => setPrinting(true));
  addEventListener("afterprint", () => setPrinting(false));

  Object.assign(steelyard, {
    charts: all, card, mount, frame, timeChart, placeTip, numberLabels, latencyLabels, logSplits, NARROW_PX, WHOLE_STEPS,
  });
})();
