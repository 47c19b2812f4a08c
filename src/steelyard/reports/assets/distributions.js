// How a latency is distributed: the share of values at or below each latency, with marks at the
// percentiles that the tables show. The tail view stretches the last percents.
"use strict";

(() => {
  const { steelyard } = window;
  const { colors, element, latency, number, unpack } = steelyard;
  const TAIL_LABELS = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999];
  const LEAST_TAIL = 1e-6;

  /** A heading and a chart for each of `list`, with switches that hold for all of them. */
  function distributions(main, list) {
    if (!list.length) return;
    const shown = { log: true, tail: false };
    const charts = [];
    const rebuild = (change) => {
      Object.assign(shown, change);
      charts.forEach((chart) => chart.restart());
    };
    const grid = element("div", { className: "pairs" });
    main.append(
      element(
        "header",
        { className: "section" },
        element("h2", { textContent: "Latency distributions" }),
        steelyard.choice("Latency scale", ["Linear", "Log"], 1, (index) => rebuild({ log: index === 1 })),
        steelyard.choice("Share scale", ["Share", "Tail"], 0, (index) => rebuild({ tail: index === 1 })),
      ),
      grid,
    );
    for (const one of list) charts.push(distribution(grid, one, shown));
  }

  function distribution(into, { name, note, value, share, marks }, shown) {
    const values = Array.from(unpack(value));
    const shares = Array.from(unpack(share));
    const parts = steelyard.card({
      title: name,
      unit: note,
      legend: [{ name: "", color: null }],
    });
    into.append(parts.root);
    const positive = values.find((x) => x > 0) ?? 1e-3;
    const largest = Math.max(values.at(-1), positive * 1.01);
    let range = null;

    const heightOf = (part) => (shown.tail ? Math.max(1 - part, LEAST_TAIL) : part);
    const leastTail = Math.max(LEAST_TAIL, (1 - (shares.at(-2) ?? 0)) / 2);
    const data = () => [
      [shown.log ? positive * 0.999 : 0, ...values],
      [heightOf(0), ...shares.map((part) => (shown.tail && 1 - part <= 0 ? leastTail : heightOf(part)))],
    ];

    const yScale = () =>
      shown.tail
        ? {
            scale: { distr: 3, dir: -1, range: () => [leastTail, 1] },
            axis: {
              splits: () => TAIL_LABELS.map((part) => 1 - part).filter((part) => part >= leastTail),
              values: (u, splits) => splits.map((part) => `${Number(((1 - part) * 100).toFixed(3))} %`),
              filter: (u, splits) => splits,
            },
          }
        : {
            scale: { range: () => [0, 1.07] },
            
            axis: {
              splits: () => [0, 0.25, 0.5, 0.75, 1],
              values: (u, splits) => splits.map((part) => `${Math.round(part * 100)} %`),
            },
          };

    const xScale = () => ({
      scale: { distr: shown.log ? 3 : 1, range: () => [range.from, range.to] },
      axis: shown.log
        ? {
            splits: (u, index, low, high) => steelyard.logSplits(low, high),
            values: (u, splits) => steelyard.latencyLabels(u, splits, { each: true }),
            filter: (u, splits) => splits,
          }
        : { space: 70, values: steelyard.latencyLabels },
    });

    function restart() {
      range = shown.log
        ? new steelyard.Range(positive * 0.9, largest * 1.1, { log: true, least: 0.01 })
        : new steelyard.Range(0, largest * 1.02, { least: largest / 1e5 });
      chart.rebuild();
      const { u } = chart;
      range.listen(() => u === chart.u && u.setScale("x", { min: range.from, max: range.to }));
    }

    range = new steelyard.Range(positive * 0.9, largest * 1.1, { log: true, least: 0.01 });
    const chart = steelyard.mount({
      plot: parts.plot,
      height: 210,
      data,
      options: (width) =>
        steelyard.frame(width, {
          x: xScale(),
          y: yScale(),
          series: [
            {
              stroke: () => colors.b,
              width: 2,
              paths: uPlot.paths.stepped({ align: 1 }),
              points: { show: false },
            },
          ],
          hooks: {
            draw: [(u) => paintMarks(u, marks, heightOf)],
            setCursor: [
              (u) => {
                const { idx, left } = u.cursor;
                const inside = left >= 0 && idx !== null && idx !== undefined;
                parts.values[0].textContent = inside
                  ? `${percent(idx === 0 ? 0 : shares[idx - 1])} ≤ ${latency(u.data[0][idx])}`
                  : "";
              },
            ],
          },
        }),
      ready: (u) =>
        steelyard.attach({ plot: parts.plot, over: u.over, range, valueAt: (px) => u.posToVal(px, "x") }),
    });
    steelyard.attachKeys({ plot: parts.plot, range: { pan: (by) => range.pan(by), zoom: (by) => range.zoom(by), reset: () => range.reset() } });
    restart();
    return { restart };
  }

  function percent(share) {
    return `${Number((share * 100).toFixed(share > 0.99 ? 3 : 1))} %`;
  }

  /** Each percentile as a dot on the curve with its name and value beside it. */
  function paintMarks(u, marks, heightOf) {
    const { ctx, bbox } = u;
    const dpr = devicePixelRatio;
    ctx.save();
    ctx.font = `${11 * dpr}px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    for (const [name, value, share] of marks) {
      const x = u.valToPos(value, "x", true);
      const y = u.valToPos(heightOf(share), "y", true);
      if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) continue;
      ctx.strokeStyle = colors.muted;
      ctx.setLineDash([2 * dpr, 3 * dpr]);
      ctx.lineWidth = dpr;
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.fillStyle = colors.b;
      ctx.beginPath();
      ctx.arc(x, y, 3.5 * dpr, 0, 2 * Math.PI);
      ctx.fill();
      label(u, `${name} ${latency(value)}`, x, share > 0.95 ? y - 7 * dpr : y);
    }
    ctx.restore();
  }

  /** A text left of a place on the curve, or right of it where there is no room. */
  function label({ ctx, bbox }, text, x, y) {
    const dpr = devicePixelRatio;
    const width = ctx.measureText(text).width;
    const left = x - width - 8 * dpr < bbox.left ? x + 8 * dpr : x - width - 8 * dpr;
    const top = Math.min(Math.max(y, bbox.top + 6 * dpr), bbox.top + bbox.height - 7 * dpr);
    ctx.strokeStyle = colors.card;
    ctx.lineWidth = 4 * dpr;
    ctx.lineJoin = "round";
    ctx.strokeText(text, left, top);
    ctx.fillStyle = colors.ink;
    ctx.fillText(text, left, top);
  }

  Object.assign(steelyard, { distributions });
})();
