// The picture of all requests: one row each (or packed into as few rows as possible), the wait for
// the first token and the decoding in two colours, failures in a third.
//
// Few requests are drawn as bars. Many are added up per pixel (share of the pixel's rows that is
// covered, mixed from the three colours), which takes the same time for 100,000 as for 10,000. There
// failures weigh more than they cover, and nothing is fainter than a third: single ones stay visible.
"use strict";

(() => {
  const { steelyard } = window;
  const { colors } = steelyard;
  const MOST_BARS = 6000;
  const FAINTEST = 0.35;
  const FAIL_WEIGHT = 4;
  const LEAST_COVER = 0.01;
  const MOST_CELLS = 1.6e6;
  const HIT_PX = 4;

  /** What is drawn where: `rows` from `low` to `high` (both may be fractions) in the chart `u`. */
  function paint(u, { requests, rows, low, high, range }) {
    const { ctx, bbox } = u;
    const seen = visible(requests, rows, low, high, range);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const tall = bbox.height / (high - low) >= 1;
    if (seen.length <= MOST_BARS && tall) drawBars(u, { requests, rows, seen, low, high });
    else drawDensity(u, { requests, rows, seen, low, high, range });
    ctx.restore();
  }

  function visible(requests, rows, low, high, range) {
    const from = rows.start[Math.max(0, Math.floor(low))];
    const to = rows.start[Math.min(rows.count, Math.ceil(high))];
    const { sent, end } = requests;
    if (buffers.seen.length < to - from) buffers.seen = new Int32Array(to - from);
    let count = 0;
    for (let at = from; at < to; at++) {
      const request = rows.of[at];
      if (sent[request] <= range.to && end[request] >= range.from) buffers.seen[count++] = request;
    }
    return buffers.seen.subarray(0, count);
  }

  function drawBars(u, { requests, rows, seen, low, high }) {
    const { ctx, bbox } = u;
    const pitch = bbox.height / (high - low);
    const gap = pitch >= 3 ? Math.max(1, Math.round(Math.min(pitch * 0.2, 3 * devicePixelRatio))) : 0;
    const bottom = bbox.top + bbox.height;
    const { sent, first, end } = requests;
    const x = scale(u);
    const bars = { wait: [], decode: [], fail: [] };
    for (const request of seen) {
      const y = Math.round(bottom - (rows.row[request] + 1 - low) * pitch);
      const height = Math.max(Math.round(bottom - (rows.row[request] - low) * pitch) - y - gap, 1);
      const begin = x(sent[request]);
      const stop = Math.max(x(end[request]), begin + 1);
      if (requests.failed(request)) {
        bars.fail.push([begin, y, stop - begin, height]);
      } else if (Number.isNaN(first[request])) {
        bars.decode.push([begin, y, stop - begin, height]);
      } else {
        const middle = x(first[request]);
        bars.wait.push([begin, y, middle - begin, height]);
        bars.decode.push([middle, y, Math.max(stop - middle, 0), height]);
      }
    }
    for (const [kind, list] of Object.entries(bars)) {
      ctx.fillStyle = colors[kind];
      for (const [left, top, width, height] of list) ctx.fillRect(left, top, width, height);
    }
  }

  /** Device pixels for a time. */
  function scale(u) {
    const { bbox } = u;
    const { min, max } = u.scales.x;
    const perSecond = bbox.width / (max - min);
    return (at) => bbox.left + (at - min) * perSecond;
  }

  const buffers = { canvas: document.createElement("canvas"), cover: [], seen: new Int32Array(0) };

  function drawDensity(u, { requests, rows, seen, low, high, range }) {
    const { ctx, bbox } = u;
    const shrink = Math.min(1, Math.sqrt(MOST_CELLS / (bbox.width * bbox.height)));
    const width = Math.max(1, Math.round(bbox.width * shrink));
    const height = Math.max(1, Math.min(Math.round(bbox.height * shrink), Math.round(high - low)));
    const rowsPerCell = (high - low) / height;
    addUp({ requests, rows, seen, low, range, width, height, rowsPerCell });
    const image = toImage(width, height, rowsPerCell);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(image, 0, 0, width, height, bbox.left, bbox.top, bbox.width, bbox.height);
  }

  /** Fills `buffers.cover`: for each kind and cell the change of coverage from the cell before. */
  function addUp({ requests, rows, seen, low, range, width, height, rowsPerCell }) {
    const stride = width + 2;
    const size = stride * height;
    if (buffers.cover.length === 0 || buffers.cover[0].length < size) {
      buffers.cover = [0, 1, 2].map(() => new Float32Array(size));
    }
    buffers.cover.forEach((cover) => cover.fill(0, 0, size));
    const [wait, decode, fail] = buffers.cover;
    const { sent, first, end } = requests;
    const perSecond = width / (range.to - range.from);
    const cell = (at) => Math.min(Math.max((at - range.from) * perSecond, 0), width);
    const add = (cover, base, from, to) => {
      const start = Math.floor(from);
      const stop = Math.floor(to);
      cover[base + start] += 1 - (from - start);
      cover[base + start + 1] += from - start;
      cover[base + stop] -= 1 - (to - stop);
      cover[base + stop + 1] -= to - stop;
    };
    for (const request of seen) {
      const line = Math.floor((rows.row[request] - low) / rowsPerCell);
      if (line < 0 || line >= height) continue;
      const base = (height - 1 - line) * stride;
      const begin = cell(sent[request]);
      const stop = cell(end[request]);
      if (requests.failed(request)) {
        add(fail, base, begin, Math.max(stop, Math.min(begin + 1, width)));
      } else if (Number.isNaN(first[request])) {
        add(decode, base, begin, stop);
      } else {
        const middle = cell(first[request]);
        add(wait, base, begin, middle);
        add(decode, base, middle, stop);
      }
    }
  }

  function toImage(width, height, rowsPerCell) {
    const { canvas, cover } = buffers;
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const blend = blender(rowsPerCell);
    const [wait, decode, fail] = cover;
    const stride = width + 2;
    for (let line = 0; line < height; line++) {
      let [w, d, f, pixel] = [0, 0, 0, 0];
      let to = line * width;
      for (let at = line * stride, end = at + width; at < end; at++, to++) {
        if (wait[at] !== 0 || decode[at] !== 0 || fail[at] !== 0) {
          w += wait[at];
          d += decode[at];
          f += fail[at];
          pixel = blend(w, d, f);
        }
        pixels[to] = pixel;
      }
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  /** The colour (as a pixel of an image) of a cell that three kinds cover so many rows of. */
  function blender(rowsPerCell) {
    const [[wr, wg, wb], [dr, dg, db], [fr, fg, fb]] = ["wait", "decode", "fail"].map((kind) => rgb(colors[kind]));
    return (waiting, decoding, failing) => {
      const w = waiting > 0 ? waiting : 0;
      const d = decoding > 0 ? decoding : 0;
      const f = failing > LEAST_COVER ? failing * FAIL_WEIGHT : 0;
      const covered = w + d + (f ? failing : 0);
      if (covered < LEAST_COVER) return 0;
      const scale = 1 / (w + d + f);
      const red = (w * wr + d * dr + f * fr) * scale;
      const green = (w * wg + d * dg + f * fg) * scale;
      const blue = (w * wb + d * db + f * fb) * scale;
      const opaque = 255 * Math.min(1, Math.max(covered / rowsPerCell, FAINTEST));
      return ((opaque << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    };
  }

  function rgb(hex) {
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  }

  /** The request under a place in CSS pixels of the plotting area; `null` when there is none. */
  function hit(u, x, y, { requests, rows, low, high, range }) {
    const { clientWidth: width, clientHeight: height } = u.over;
    const rowsPerPx = (high - low) / height;
    const at = range.from + ((range.to - range.from) * x) / width;
    const near = ((range.to - range.from) / width) * HIT_PX;
    const middle = high - y * rowsPerPx;
    const reach = rowsPerPx * HIT_PX;
    const lowest = Math.max(0, Math.floor(rowsPerPx < 0.5 ? middle : middle - reach));
    const highest = Math.min(rows.count - 1, Math.floor(rowsPerPx < 0.5 ? middle : middle + reach));
    let best = null;
    let least = Infinity;
    for (let index = rows.start[lowest]; index < rows.start[highest + 1]; index++) {
      const request = rows.of[index];
      const away = Math.max(requests.sent[request] - at, at - requests.end[request], 0);
      if (away > near) continue;
      const distance = away / near + Math.abs(rows.row[request] + 0.5 - middle) / (reach + 1);
      if (distance < least) [best, least] = [request, distance];
    }
    return best;
  }

  steelyard.timeline = { paint, hit, scale };
})();
