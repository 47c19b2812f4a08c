// The page of a sweep: latency against throughput, one point for each load that was tried.
"use strict";

(() => {
  const { steelyard } = window;
  const { colors, element, latency, number } = steelyard;
  const data = steelyard.pageData();
  const main = document.getElementById("charts");
  const { points, throughputs, latencies } = data;
  const HIT_PX = 18;
  let throughput = 0;
  let latencyOf = 0;
  let log = false;
  let range = null;

  const place = (point) => [point.throughputs[throughput], point.latencies_ms[latencyOf]];
  const drawn = () =>
    points
      .map((point, index) => ({ point, index, at: place(point) }))
      .filter(({ at }) => at[0] !== null && at[1] !== null);

  /** Points that no other beats in both directions: more throughput at no more latency. */
  function best(list) {
    return list.filter(({ at: [x, y] }) =>
      list.every(({ at: [otherX, otherY] }) => !(otherX >= x && otherY <= y && (otherX > x || otherY < y))),
    );
  }

  function chart() {
    const parts = steelyard.card({
      title: "Latency against throughput",
      unit: " ",
      hint: "",
      legend: [
        { name: "Meets the SLO", color: "good", shape: "dot" },
        { name: "Misses it", color: "fail", shape: "cross" },
        { name: "Not judged", color: "planned", shape: "ring" },
        { name: "Pareto front", color: "p1", shape: "dashed" },
        { name: "SLO limit", color: "a" },
      ].filter(({ name }) => isPresent(name)),
      switches: [
        steelyard.choice("Throughput", throughputs.map(({ name }) => name), 0, (index) => change({ x: index })),
        steelyard.choice("Latency", latencies.map(({ name }) => name), 0, (index) => change({ y: index })),
        steelyard.choice("Scale", ["Linear", "Log"], 0, (index) => change({ scale: index === 1 })),
      ],
    });
    main.append(parts.root);
    const small = parts.root.querySelector("small");
    const marker = element("div", { className: "halo", hidden: true });
    const tip = element("div", { className: "tip", hidden: true, role: "status" });
    const sorted = () => drawn().sort((one, other) => one.at[0] - other.at[0]);
    range = fullRange();

    const made = steelyard.mount({
      plot: parts.plot,
      height: (width) => (width < steelyard.NARROW_PX ? 300 : 420),
      data: () => {
        const list = sorted();
        return [list.map(({ at }) => at[0]), list.map(({ at }) => at[1])];
      },
      options: (width) =>
        steelyard.frame(width, {
          x: {
            scale: { range: () => [range.from, range.to] },
            axis: {
              values: steelyard.numberLabels,
              space: 70,
              label: `${throughputs[throughput].title}, ${throughputs[throughput].unit}`,
              labelSize: 22,
              labelFont: `12px ${getComputedStyle(document.body).fontFamily}`,
            },
          },
          y: yAxis(sorted()),
          series: [{ show: false }],
          cursor: { points: { show: false } },
          hooks: { draw: [(u) => paint(u, sorted())] },
        }),
      ready: (u) => {
        u.over.append(marker, tip);
        steelyard.attach({ plot: parts.plot, over: u.over, range, valueAt: (px) => u.posToVal(px, "x") });
        hover(u, sorted(), marker, tip);
      },
    });
    steelyard.attachKeys({
      plot: parts.plot,
      range: { pan: (by) => range.pan(by), zoom: (by) => range.zoom(by), reset: () => range.reset() },
    });

    function describe() {
      small.textContent = `${latencies[latencyOf].title} against ${throughputs[throughput].title}`;
    }

    function change({ x = throughput, y = latencyOf, scale = log }) {
      [throughput, latencyOf, log] = [x, y, scale];
      range = fullRange();
      made.rebuild();
      follow();
      describe();
    }

    function follow() {
      const { u } = made;
      range.listen(() => u === made.u && u.setScale("x", { min: range.from, max: range.to }));
    }
    follow();
    describe();
    return made;
  }

  function isPresent(name) {
    if (name === "Meets the SLO") return points.some((point) => point.meets_slo === true);
    if (name === "Misses it") return points.some((point) => point.meets_slo === false);
    if (name === "Not judged") return points.some((point) => point.meets_slo === null);
    return name !== "SLO limit" || latencies.some(({ limit_ms: limit }) => limit !== null);
  }

  function fullRange() {
    const most = Math.max(...drawn().map(({ at }) => at[0]), 1e-9);
    return new steelyard.Range(0, most * 1.08, { least: most / 1000 });
  }

  function yAxis(list) {
    const limit = latencies[latencyOf].limit_ms;
    const values = list.map(({ at }) => at[1]);
    const most = Math.max(...values, limit ?? 0, 1e-9);
    const least = Math.min(...values.filter((value) => value > 0), limit ?? Infinity, most);
    if (!log) return { scale: { range: () => [0, most * 1.1] }, axis: { values: steelyard.latencyLabels } };
    return {
      scale: { distr: 3, range: () => [least / 1.3, most * 1.3] },
      axis: {
        splits: (u, index, low, high) => steelyard.logSplits(low, high),
        values: (u, splits) => steelyard.latencyLabels(u, splits, { each: true }),
        filter: (u, splits) => splits,
      },
    };
  }

  // Drawing ---------------------------------------------------------------------------------------

  function paint(u, list) {
    const { ctx, bbox } = u;
    const dpr = devicePixelRatio;
    const spot = ({ at }) => [u.valToPos(at[0], "x", true), u.valToPos(at[1], "y", true)];
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    paintLimit(u);
    line(ctx, list.slice().sort((one, other) => one.index - other.index).map(spot), colors.grid, 2 * dpr, []);
    line(ctx, best(list).map(spot), colors.p1, 2 * dpr, [6 * dpr, 4 * dpr]);
    for (const one of list) dot(ctx, spot(one), one.point.meets_slo, dpr);
    paintNames(u, list, spot);
    ctx.restore();
  }

  function paintLimit(u) {
    const limit = latencies[latencyOf].limit_ms;
    if (limit === null) return;
    const { ctx, bbox } = u;
    const dpr = devicePixelRatio;
    const y = Math.round(u.valToPos(limit, "y", true)) + 0.5;
    line(ctx, [[bbox.left, y], [bbox.left + bbox.width, y]], colors.a, 1.5 * dpr, []);
    ctx.font = `${11 * dpr}px ${getComputedStyle(document.body).fontFamily}`;
    ctx.textAlign = "left";
    ctx.textBaseline = "bottom";
    ctx.fillStyle = colors.a;
    ctx.fillText(`SLO ${latency(limit)}`, bbox.left + 6 * dpr, y - 3 * dpr);
  }

  function line(ctx, spots, color, width, dash) {
    ctx.beginPath();
    spots.forEach(([x, y], index) => (index ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
    ctx.strokeStyle = color;
    ctx.lineWidth = width;
    ctx.setLineDash(dash);
    ctx.stroke();
    ctx.setLineDash([]);
  }

  /** Shape and colour both say whether the SLO is met. */
  function dot(ctx, [x, y], meets, dpr) {
    const size = 5 * dpr;
    ctx.lineWidth = 2.5 * dpr;
    ctx.beginPath();
    if (meets === false) {
      ctx.strokeStyle = colors.fail;
      ctx.moveTo(x - size, y - size);
      ctx.lineTo(x + size, y + size);
      ctx.moveTo(x + size, y - size);
      ctx.lineTo(x - size, y + size);
      ctx.stroke();
      return;
    }
    ctx.arc(x, y, size, 0, 2 * Math.PI);
    ctx.fillStyle = meets ? colors.good : colors.card;
    ctx.strokeStyle = meets ? colors.card : colors.planned;
    ctx.fill();
    ctx.stroke();
  }

  /** The load beside each point, as long as no name lies on another. */
  function paintNames(u, list, spot) {
    const { ctx, bbox } = u;
    const dpr = devicePixelRatio;
    ctx.font = `${11 * dpr}px ${getComputedStyle(document.body).fontFamily}`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    const taken = list.map((one) => box(...spot(one), 12 * dpr, 12 * dpr, dpr));
    for (const one of list) {
      const [x, y] = spot(one);
      const width = ctx.measureText(one.point.label).width;
      const choices = [[x - width / 2, y - 15 * dpr], [x - width - 10 * dpr, y], [x + 10 * dpr, y], [x - width / 2, y + 15 * dpr]];
      const free = choices.find(([left, middle]) => {
        const area = { left, right: left + width, top: middle - 7 * dpr, bottom: middle + 7 * dpr };
        const inside = left >= bbox.left && area.right <= bbox.left + bbox.width && area.top >= bbox.top;
        return inside && taken.every((other) => !overlaps(area, other)) && taken.push(area);
      });
      if (!free) continue;
      ctx.fillStyle = colors.muted;
      ctx.fillText(one.point.label, ...free);
    }
  }

  function box(x, y, width, height) {
    return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
  }

  function overlaps(one, other) {
    return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
  }

  // Pointing --------------------------------------------------------------------------------------

  function hover(u, list, marker, tip) {
    const hide = () => (marker.hidden = tip.hidden = true);
    range.listen(hide);
    u.over.addEventListener("pointerleave", hide);
    u.over.addEventListener("pointermove", (event) => {
      const edges = u.over.getBoundingClientRect();
      const [x, y] = [event.clientX - edges.left, event.clientY - edges.top];
      let found = null;
      let least = HIT_PX;
      for (const one of list) {
        const left = u.valToPos(one.at[0], "x");
        const top = u.valToPos(one.at[1], "y");
        const away = Math.hypot(left - x, top - y);
        if (away < least) [least, found] = [away, { ...one, left, top }];
      }
      if (!found) return hide();
      marker.hidden = false;
      marker.style.left = `${found.left - 9}px`;
      marker.style.top = `${found.top - 9}px`;
      fill(tip, found.point);
      steelyard.placeTip(u, tip, found.left, found.top);
    });
  }

  function fill(tip, point) {
    const pairs = [
      ...throughputs.map(({ title, unit }, index) => [title, shown(point.throughputs[index], (value) => `${number(value)} ${unit}`)]),
      ...latencies.map(({ name }, index) => [name, shown(point.latencies_ms[index], latency)]),
      ...(point.meets_slo === null ? [] : [["SLO", point.meets_slo ? "met" : "missed"]]),
      ...point.details,
    ];
    tip.replaceChildren(
      element("strong", { textContent: point.label }),
      element("dl", {}, ...pairs.flatMap(([name, value]) => [element("dt", { textContent: name }), element("dd", { textContent: value })])),
    );
  }

  function shown(value, text) {
    return value === null ? "unknown" : text(value);
  }

  const isKnown = (values) => values.some((value) => value !== null);
  if (points.some((point) => isKnown(point.throughputs) && isKnown(point.latencies_ms))) chart();
  requestAnimationFrame(() => {
    window.steelyardReady = true;
  });
})();
