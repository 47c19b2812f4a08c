// The page of one load test: which charts there are and what each of them shows.
"use strict";

(() => {
  const { steelyard } = window;
  const { colors, element, latency, number, moment, unpack, gaps } = steelyard;
  const data = steelyard.pageData();
  const main = document.getElementById("charts");
  const requests = data.requests ? new steelyard.Requests(data.requests) : null;
  const edges = data.series ? unpack(data.series.edges) : null;
  const until = Math.max(requests?.until ?? 0, edges?.at(-1) ?? 0, 1e-3);
  const range = new steelyard.Range(0, until);
  const time = { range, longest: until, steady: data.steady };
  let charts = null;
  const finest = () => (range.to - range.from) / 500;
  const at = (seconds) => moment(seconds, finest(), until);

  // Tool bar --------------------------------------------------------------------------------------

  function toolBar() {
    const shown = element("output", { className: "shown", "aria-live": "polite" });
    const button = (text, label, action, kind = "") =>
      element("button", {
        type: "button",
        className: `button ${kind}`,
        textContent: text,
        title: label,
        "aria-label": label,
        onclick: action,
      });
    const all = button("Whole run", "Show the whole run", () => range.reset());
    const steady = data.steady
      ? button("Steady window", "Zoom to the steady window", () => range.show(...data.steady))
      : null;
    const pointer = element("span", { className: "pointer" });
    time.point = (seconds) => {
      pointer.textContent = seconds === null ? "" : `pointer at ${at(seconds)}`;
    };
    const describe = () => {
      shown.textContent = `${at(range.from)} – ${at(range.to)}`;
      all.disabled = range.isFull && !charts?.boxed();
    };
    range.listen(describe);
    describe();
    main.append(
      element(
        "div",
        { className: "toolbar", role: "toolbar", "aria-label": "Time shown in all charts" },
        element("span", { className: "keep" }, "Time ", shown),
        element(
          "span",
          { className: "buttons" },
          button("−", "Zoom out", () => range.zoom(1 / 0.6)),
          button("+", "Zoom in", () => range.zoom(0.6)),
          button("←", "Earlier", () => range.pan(-0.25), "wide"),
          button("→", "Later", () => range.pan(0.25), "wide"),
          steady,
          all,
        ),
        pointer,
        element("span", { className: "help" }, "Drag to zoom · Shift + drag pans · Ctrl + wheel (or click, then wheel) zooms · double click resets"),
      ),
    );
  }

  // Series on the common grid ---------------------------------------------------------------------

  /** Values of bins as steps: at the bins' edges, the last one held to the end. */
  function steps(columns) {
    return [Array.from(edges), ...columns.map((values) => [...gaps(values), gaps(values).at(-1) ?? null])];
  }

  /** Values of bins as points in the middle of the bins. */
  function middles(columns) {
    const centres = Array.from({ length: edges.length - 1 }, (_, i) => (edges[i] + edges[i + 1]) / 2);
    return [centres, ...columns.map(gaps)];
  }

  /** The bin that a time lies in: unlike the nearest edge, it is the one whose step is drawn there. */
  const bin = (seconds) =>
    Math.min(Math.max(steelyard.lastAtMost(edges, seconds), 0), edges.length - 2);
  const cursorOnSteps = { dataIdx: (u, series, nearest, seconds) => (series ? bin(seconds) : nearest) };

  const upFromZero = (u, low, high) => [0, high > 0 ? high * 1.08 : 1];
  const stepped = uPlot.paths.stepped({ align: 1 });

  function rates({ title, unit, height = 170, lines }) {
    const present = lines.filter(({ values }) => values);
    if (!present.length) return;
    const columns = steps(present.map(({ values }) => unpack(values)));
    steelyard.timeChart(main, time, {
      title,
      unit,
      height,
      legend: present,
      data: () => columns,
      cursor: cursorOnSteps,
      series: present.map(({ color, shape }) => ({
        stroke: () => colors[color],
        width: 1.75,
        dash: shape === "dashed" ? [6, 4] : undefined,
        paths: stepped,
        points: { show: false },
      })),
      y: () => ({ scale: { range: upFromZero }, axis: { values: steelyard.numberLabels } }),
    });
  }

  function percentiles({ title, lines }) {
    if (!lines.length) return;
    const columns = middles(lines.map(({ values }) => unpack(values)));
    const shades = lines.length < 3 ? [0, 2] : [0, 1, 2];
    let log = false;
    const chart = steelyard.timeChart(main, time, {
      title,
      unit: "over time",
      height: 180,
      legend: lines.map(({ name }, index) => ({ name, color: `p${shades[index % 3]}` })),
      switches: [
        steelyard.choice("Scale", ["Linear", "Log"], 0, (index) => {
          log = index === 1;
          chart.rebuild();
        }),
      ],
      data: () => columns,
      text: latency,
      series: lines.map((_, index) => ({
        stroke: () => colors[`p${shades[index % 3]}`],
        width: 1.75,
        points: { size: 4, fill: () => colors[`p${shades[index % 3]}`] },
      })),
      y: () => latencyScale(log),
    });
  }

  function latencyScale(log) {
    if (!log) return { scale: { range: upFromZero }, axis: { values: steelyard.latencyLabels } };
    return {
      scale: { distr: 3, range: (u, low, high) => [(low ?? 1) / 1.2, (high ?? 10) * 1.2] },
      axis: {
        splits: (u, index, low, high) => steelyard.logSplits(low, high),
        values: (u, splits) => steelyard.latencyLabels(u, splits, { each: true }),
        filter: (u, splits) => splits,
      },
    };
  }

  function failures(kinds) {
    if (!kinds.length) return;
    const columns = kinds.map(({ values }) => unpack(values));
    const sums = columns.map((values) => values.slice());
    for (let kind = 1; kind < sums.length; kind++) {
      for (let i = 0; i < sums[kind].length; i++) sums[kind][i] += sums[kind - 1][i];
    }
    const legend = kinds.map(({ name }, index) => ({ name, color: `k${index % 7}`, shape: "box" }));
    const stacked = steps(sums.reverse());
    const color = (index) => colors[legend[legend.length - 1 - index].color];
    steelyard.timeChart(main, time, {
      title: "Failures",
      unit: `per ${latency((edges[1] - edges[0]) * 1000)}, stacked`,
      height: 150,
      legend,
      data: () => stacked,
      cursor: cursorOnSteps,
      show: (u, seconds) => columns.map((values) => number(values[bin(seconds)])),
      series: kinds.map((_, index) => ({
        fill: () => color(index),
        width: 0,
        paths: stepped,
        points: { show: false },
      })),
      y: () => ({ scale: { range: upFromZero }, axis: { values: steelyard.numberLabels, incrs: steelyard.WHOLE_STEPS } }),
    });
  }

  // Page ------------------------------------------------------------------------------------------

  toolBar();
  if (requests?.n) charts = steelyard.requestCharts(main, time, requests);
  if (data.series && edges.length > 1) {
    const { series } = data;
    rates({
      title: "Request rate",
      unit: "requests/s",
      lines: [
        { name: "Sent", color: "a", values: series.sent_per_s },
        { name: "Completed", color: "b", values: series.completed_per_s },
        { name: "Planned", color: "ink", shape: "dashed", values: series.planned_per_s },
      ],
    });
    rates({
      title: "Token rate",
      unit: "tokens/s",
      lines: [
        { name: "Output", color: "b", values: series.output_tokens_per_s },
        { name: "Input", color: "c", values: series.input_tokens_per_s },
      ],
    });
    percentiles({ title: "Time to first token", lines: series.ttft });
    percentiles({ title: "Inter-token latency", lines: series.itl });
    failures(series.failures);
  }
  steelyard.distributions(main, data.distributions);
  Object.assign(steelyard, { range, requests, rowsShown: () => charts.rows() });
  requestAnimationFrame(() => {
    window.steelyardReady = true;
  });
})();
