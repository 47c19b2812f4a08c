// The requests of a run as the page looks at them: which row each is drawn in, which rows are busy
// in a stretch of time, and how many requests run at any moment. Only ordering and counting.
"use strict";

(() => {
  const { steelyard } = window;
  const { unpack } = steelyard;

  /** Columns of all requests; times in seconds, NaN and -1 stand for unknown. */
  class Requests {
    constructor(data) {
      this.sent = unpack(data.sent);
      this.end = unpack(data.end);
      this.n = this.sent.length;
      this.first = unpack(data.first) ?? new Float64Array(this.n).fill(NaN);
      this.due = unpack(data.due);
      this.failure = unpack(data.failure);
      this.kinds = data.failure_kinds;
      this.inputTokens = unpack(data.input_tokens);
      this.outputTokens = unpack(data.output_tokens);
      this.line = unpack(data.line);
      this.streamed = this.first.some((value) => !Number.isNaN(value));
      this.order = bySending(this.sent);
      this.until = this.end.reduce((most, value) => Math.max(most, value), 0);
      this.lines = this.linesBySending();
      this.running = running(this.sent, this.end);
    }

    failed(request) {
      return this.failure !== null && !Number.isNaN(this.failure[request]);
    }

    failureKind(request) {
      return this.failed(request) ? (this.kinds[this.failure[request]] ?? "failed") : "";
    }

    /** One row a line of the data, in the order in which the lines were first sent. */
    linesBySending() {
      const row = new Int32Array(this.n);
      const rowOfLine = new Map();
      for (const request of this.order) {
        const line = this.line === null ? request : this.line[request];
        if (!rowOfLine.has(line)) rowOfLine.set(line, rowOfLine.size);
        row[request] = rowOfLine.get(line);
      }
      return new Rows(row, rowOfLine.size);
    }

    /** As few rows as can be: every request in the lowest row that was free when it was sent. */
    get lanes() {
      if (!this.packed) {
        const row = new Int32Array(this.n);
        const busy = new Heap((one, other) => this.end[one] - this.end[other]);
        const free = new Heap((one, other) => one - other);
        let count = 0;
        for (const request of this.order) {
          while (busy.size && this.end[busy.top] <= this.sent[request]) free.push(row[busy.pop()]);
          row[request] = free.size ? free.pop() : count++;
          busy.push(request);
        }
        this.packed = new Rows(row, count);
      }
      return this.packed;
    }
  }

  /** Requests by row: `of[start[row]]` to `of[start[row + 1] - 1]` are those of one row. */
  class Rows {
    constructor(row, count) {
      this.row = row;
      this.count = count;
      this.start = new Int32Array(count + 1);
      for (const at of row) this.start[at + 1]++;
      for (let at = 0; at < count; at++) this.start[at + 1] += this.start[at];
      const next = this.start.slice();
      this.of = new Int32Array(row.length);
      for (let request = 0; request < row.length; request++) this.of[next[row[request]]++] = request;
    }

    /** First and last row with a request between two times; `null` when there is none. */
    busy(requests, from, to) {
      const { sent, end } = requests;
      const { row } = this;
      let low = Infinity;
      let high = -1;
      for (let request = 0; request < row.length; request++) {
        if (sent[request] > to || end[request] < from) continue;
        if (row[request] < low) low = row[request];
        if (row[request] > high) high = row[request];
      }
      return high < 0 ? null : [low, high];
    }
  }

  class Heap {
    constructor(compare) {
      this.compare = compare;
      this.items = [];
    }

    get size() {
      return this.items.length;
    }

    get top() {
      return this.items[0];
    }

    push(item) {
      const { items, compare } = this;
      let at = items.push(item) - 1;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (compare(items[parent], item) <= 0) break;
        items[at] = items[parent];
        at = parent;
      }
      items[at] = item;
    }

    pop() {
      const { items, compare } = this;
      const top = items[0];
      const item = items.pop();
      if (items.length === 0) return top;
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= items.length) break;
        if (child + 1 < items.length && compare(items[child + 1], items[child]) < 0) child++;
        if (compare(item, items[child]) <= 0) break;
        items[at] = items[child];
        at = child;
      }
      items[at] = item;
      return top;
    }
  }

  function bySending(sent) {
    const order = Int32Array.from(sent, (_, request) => request);
    const sorted = sent.every((at, request) => request === 0 || sent[request - 1] <= at);
    return sorted ? order : order.sort((one, other) => sent[one] - sent[other] || one - other);
  }

  /**
   * How many run: `count[i]` from `time[i]` to `time[i + 1]`. Moments without length are left out:
   * where one ends and another starts at the same time, as many run as before.
   */
  function running(sent, end) {
    const starts = sent.slice().sort();
    const ends = end.slice().sort();
    const time = new Float64Array(starts.length + ends.length);
    const count = new Int32Array(time.length);
    let begun = 0;
    let ended = 0;
    let length = 0;
    while (ended < ends.length) {
      const now = Math.min(starts[begun] ?? Infinity, ends[ended]);
      while (begun < starts.length && starts[begun] === now) begun++;
      while (ended < ends.length && ends[ended] === now) ended++;
      time[length] = now;
      count[length++] = begun - ended;
    }
    return { time: time.subarray(0, length), count: count.subarray(0, length) };
  }

  /** Index of the last of the rising `values` that is at most `value`; -1 when there is none. */
  function lastAtMost(values, value) {
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] <= value) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  Object.assign(steelyard, { Requests, lastAtMost });
})();
