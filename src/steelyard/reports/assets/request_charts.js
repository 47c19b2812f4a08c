// The charts of single requests: the picture of all of them, what is known of the one under the
// pointer, and how many run at any moment.
"use strict";

(() => {
  const { steelyard } = window;
  const { colors, element, latency, number, moment } = steelyard;
  const MOST_LINES_AT_ONCE = 2000;
  const FEWEST_ROWS = 8;

  /**
   * Adds both charts to `into`; `rows()`: which rows are shown, `boxed()`: whether by choice.
   * A run with many lines opens packed, because single lines would be thinner than a pixel.
   */
  function requestCharts(into, time, requests) {
    const { range, longest: until } = time;
    let rowsShown = null;
    let view = rowsView(requests.lines.count > MOST_LINES_AT_ONCE);
    range.onReset(() => (rowsShown = null));

    function rowsView(packed) {
      const rows = packed ? requests.lanes : requests.lines;
      return { requests, rows, range, packed, low: 0, high: Math.max(rows.count, 1) };
    }

    /** Which rows are shown: those chosen with a box, else those that are busy in the time shown. */
    function fitRows() {
      const most = Math.max(view.rows.count, 1);
      if (rowsShown) {
        [view.low, view.high] = rowsShown;
        return;
      }
      const busy = range.isFull ? null : view.rows.busy(requests, range.from, range.to);
      [view.low, view.high] = busy ? [busy[0], busy[1] + 1] : [0, most];
      const lack = Math.min(FEWEST_ROWS, most) - (view.high - view.low);
      if (lack > 0) {
        view.low = Math.max(0, Math.min(view.low - lack / 2, most - FEWEST_ROWS));
        view.high = Math.min(most, view.low + Math.min(FEWEST_ROWS, most));
      }
    }

    function timeline() {
      const anyFailed = requests.failure !== null;
      const legend = [
        ...(requests.streamed ? [{ name: "To first token", color: "wait", shape: "box" }] : []),
        { name: requests.streamed ? "Decoding" : "Answered", color: "decode", shape: "box" },
        ...(anyFailed ? [{ name: "Failed", color: "fail", shape: "box" }] : []),
        ...(time.steady ? [{ name: "Steady window", color: "steady-key", shape: "box" }] : []),
      ];
      const rowsSwitch = steelyard.choice(
        "Rows",
        ["A line each", "Packed"],
        view.packed ? 1 : 0,
        (index) => {
          rowsShown = null;
          view = rowsView(index === 1);
          chart.setTitle();
          chart.resize();
          range.now();
        },
      );
      const marker = element("div", { className: "marker", hidden: true });
      const tip = element("div", { className: "tip", hidden: true, role: "status" });
      const hide = () => (marker.hidden = tip.hidden = true);
      const point = (u, event) => {
        if (event.buttons && event.pointerType === "mouse") return hide();
        const edges = u.over.getBoundingClientRect();
        const [x, y] = [event.clientX - edges.left, event.clientY - edges.top];
        const found = steelyard.timeline.hit(u, x, y, view);
        if (found === null) return hide();
        mark(u, marker, found);
        describe(tip, found);
        return steelyard.placeTip(u, tip, x, y);
      };
      const byY = (u, y) => view.high - (y / u.over.clientHeight) * (view.high - view.low);
      const chart = steelyard.timeChart(into, time, {
        title: "Requests",
        unit: " ",
        legend,
        switches: [rowsSwitch],
        height: (width) => (width < steelyard.NARROW_PX ? 320 : timelineHeight()),
        data: () => [[0, until], [null, null]],
        series: [{ show: true }],
        show: () => [],
        y: () => ({
          scale: { range: () => [view.low, view.high] },
          axis: { incrs: steelyard.WHOLE_STEPS, values: (u, splits) => splits.map(number) },
        }),
        beforeDraw: fitRows,
        paint: (u) => steelyard.timeline.paint(u, view),
        gestures: {
          box: (top, bottom) => {
            rowsShown = top === null ? null : [byY(chart.u, bottom), byY(chart.u, top)];
          },
        },
        ready: (u) => {
          u.over.append(marker, tip);
          u.over.addEventListener("pointerleave", hide);
          u.over.addEventListener("pointermove", (event) => point(u, event));
          u.over.addEventListener("pointerdown", (event) => event.pointerType === "touch" && point(u, event));
        },
      });
      chart.setTitle = () => {
        const unit = view.packed ? "packed: height is how many run at once" : lineNames();
        chart.root.querySelector("small").textContent = unit;
      };
      chart.setTitle();
      range.listen(hide);
    }

    function lineNames() {
      return requests.lines.count === requests.n ? "one line each, in the order sent" : "one line per dialogue, in the order sent";
    }

    function timelineHeight() {
      return Math.min(440, Math.max(200, view.rows.count * 8 + 40));
    }

    function mark(u, marker, request) {
      const { clientWidth: width, clientHeight: height } = u.over;
      const x = (seconds) => ((seconds - range.from) / (range.to - range.from)) * width;
      const pitch = height / (view.high - view.low);
      const left = Math.max(x(requests.sent[request]), 0);
      const right = Math.min(x(requests.end[request]), width);
      const tall = Math.max(pitch, 5);
      const top = height - (view.rows.row[request] + 0.5 - view.low) * pitch - tall / 2;
      marker.hidden = false;
      marker.style.left = `${left - 1}px`;
      marker.style.width = `${Math.max(right - left, 2) + 2}px`;
      marker.style.top = `${top}px`;
      marker.style.height = `${tall}px`;
    }

    function describe(tip, request) {
      const { sent, first, end, due, inputTokens, outputTokens } = requests;
      const ms = (from, to) => latency((to - from) * 1000);
      const failed = requests.failed(request);
      const waited = !Number.isNaN(first[request]);
      const tokens = (counts) => (counts && counts[request] >= 0 ? number(counts[request]) : "unknown");
      const rows = [["Sent", moment(sent[request], 1e-3, until)]];
      if (due && !Number.isNaN(due[request])) rows.push(["After its due time", ms(due[request], sent[request])]);
      if (failed) rows.push(["Failed", requests.failureKind(request)]);
      if (waited) rows.push(["TTFT", ms(sent[request], first[request])]);
      if (waited && !failed) rows.push(["Decode", ms(first[request], end[request])]);
      rows.push([failed ? "Failed after" : "E2EL", ms(sent[request], end[request])]);
      rows.push(["Tokens in / out", `${tokens(inputTokens)} / ${tokens(outputTokens)}`]);
      if (requests.lines.count < requests.n) rows.push(["Dialogue", number(requests.line[request] + 1)]);
      tip.replaceChildren(
        element("strong", { textContent: `Request ${number(request + 1)}` }),
        element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", { textContent: name }), element("dd", { textContent: value })])),
      );
    }

    function concurrency() {
      const { time: times, count } = requests.running;
      const seen = () => [
        Math.max(steelyard.lastAtMost(times, range.from), 0),
        Math.max(steelyard.lastAtMost(times, range.to), 0),
      ];
      const most = () => {
        const [from, to] = seen();
        let found = 1;
        for (let i = from; i <= to; i++) if (count[i] > found) found = count[i];
        return found;
      };
      return steelyard.timeChart(into, time, {
        title: "Running requests",
        legend: [{ name: "Running", color: "decode" }],
        height: 150,
        data: () => [[0, until], [null, null]],
        series: [{ show: true }],
        show: (u, seconds) => {
          const i = steelyard.lastAtMost(times, seconds);
          return [number(i < 0 ? 0 : count[i])];
        },
        y: () => ({
          scale: { range: () => [0, most() * 1.08] },
          axis: { incrs: steelyard.WHOLE_STEPS, values: steelyard.numberLabels },
        }),
        paint: (u) => paintSteps(u, times, count, seen(), time),
      });
    }

    timeline();
    concurrency();
    fitRows();
    return { rows: () => [view.low, view.high], boxed: () => rowsShown !== null };
  }

  function paintSteps(u, times, count, [from, to], { range, longest: until }) {
    const { ctx, bbox } = u;
    const x = steelyard.timeline.scale(u);
    const y = (value) => u.valToPos(value, "y", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const line = new Path2D();
    const before = times[from] <= range.from ? count[from] : 0;
    line.moveTo(bbox.left, y(before));
    let [value, i] = [before, from];
    if (times[from] <= range.from) i++;
    while (i <= to) {
      const column = Math.floor(x(times[i]));
      const stop = column + 1;
      let [low, high] = [value, value];
      line.lineTo(column, y(value));
      while (i <= to && x(times[i]) < stop) {
        value = count[i++];
        if (value < low) low = value;
        if (value > high) high = value;
      }
      line.lineTo(column, y(low));
      line.lineTo(column, y(high));
      line.lineTo(column, y(value));
    }
    line.lineTo(Math.min(x(until), bbox.left + bbox.width), y(value));
    const area = new Path2D(line);
    area.lineTo(Math.min(x(until), bbox.left + bbox.width), y(0));
    area.lineTo(bbox.left, y(0));
    ctx.fillStyle = colors.decode;
    ctx.globalAlpha = 0.16;
    ctx.fill(area);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colors.decode;
    ctx.lineWidth = 1.25 * devicePixelRatio;
    ctx.stroke(line);
    ctx.restore();
  }

  Object.assign(steelyard, { requestCharts });
})();
