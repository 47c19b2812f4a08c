// Zooming and panning, the same on every chart: a range that several charts may share, and the
// mouse, touch and keyboard actions that change it.
//
//   drag               zoom into what was dragged over
//   Shift + drag       pan
//   Ctrl + wheel       zoom around the pointer (plain wheel once the chart was clicked)
//   two fingers        zoom;  one finger sideways pans
//   + - arrows 0       the same from the keyboard
//   double click       everything again
"use strict";

(() => {
  const { steelyard } = window;
  const DRAG_PX = 5;
  const PAN_SHARE = 0.2;
  const WHEEL_SPEED = 0.0022;

  /** The part of an axis that is shown. Everyone who listens draws at most once a frame. */
  class Range {
    constructor(from, to, { least = 1e-4, log = false } = {}) {
      this.full = { from, to };
      this.from = from;
      this.to = to;
      this.least = least;
      this.log = log;
      this.listeners = [];
      this.resets = [];
      this.waiting = false;
    }

    get isFull() {
      return this.from === this.full.from && this.to === this.full.to;
    }

    listen(listener) {
      this.listeners.push(listener);
    }

    onReset(listener) {
      this.resets.push(listener);
    }

    /** Shows `from` to `to`, as far as they lie within the whole. */
    show(from, to) {
      const [least, most] = [this.scaled(this.full.from), this.scaled(this.full.to)];
      const [a, b] = [this.scaled(Math.max(from, this.log ? this.full.from : from)), this.scaled(to)];
      const width = Math.min(Math.max(b - a, this.least), most - least);
      const start = Math.max(least, Math.min(a, most - width));
      this.from = start === least ? this.full.from : this.unscaled(start);
      this.to = start + width >= most ? this.full.to : this.unscaled(start + width);
      this.later();
    }

    scaled(value) {
      return this.log ? Math.log(value) : value;
    }

    unscaled(value) {
      return this.log ? Math.exp(value) : value;
    }

    reset() {
      this.resets.forEach((listener) => listener());
      this.from = this.full.from;
      this.to = this.full.to;
      this.later();
    }

    /** Zooms by `factor` (below 1: in) around a place that is `share` of the way along. */
    zoom(factor, share = 0.5) {
      this.move((a, b) => {
        const at = a + (b - a) * share;
        return [at - (at - a) * factor, at + (b - at) * factor];
      });
    }

    /** Moves by `share` of what is shown. */
    pan(share) {
      this.move((a, b) => [a + (b - a) * share, b + (b - a) * share]);
    }

    move(change) {
      const [a, b] = change(this.scaled(this.from), this.scaled(this.to));
      this.show(this.unscaled(a), this.unscaled(b));
    }

    later() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => this.now());
    }

    /** Lets all listeners draw at once. */
    now() {
      this.waiting = false;
      this.listeners.forEach((listener) => listener());
    }
  }

  /**
   * Makes `over`, the plotting area of a chart inside `plot`, change `range`.
   * `valueAt(px)`: the value under a place; `box(top, bottom)`: told the height of a drag, or nulls
   * when it was flat.
   */
  function attach({ plot, over, range, valueAt, box = null }) {
    const selection = steelyard.element("div", { className: "selection", hidden: true });
    over.append(selection);
    const state = { pointers: new Map(), drag: null, pinch: null };

    const place = (event) => {
      const edges = over.getBoundingClientRect();
      return {
        x: Math.min(Math.max(event.clientX - edges.left, 0), edges.width),
        y: Math.min(Math.max(event.clientY - edges.top, 0), edges.height),
        width: edges.width,
        height: edges.height,
      };
    };

    over.addEventListener("pointerdown", (event) => {
      if (event.button > 1) return;
      const at = place(event);
      state.pointers.set(event.pointerId, at);
      over.setPointerCapture(event.pointerId);
      if (state.pointers.size === 2) {
        state.drag = null;
        state.pinch = spread(state.pointers);
        return;
      }
      const pans = event.shiftKey || event.button === 1 || event.pointerType === "touch";
      state.drag = { start: at, last: at, pans, moved: false };
      if (event.pointerType === "mouse") event.preventDefault();
    });

    over.addEventListener("pointermove", (event) => {
      if (!state.pointers.has(event.pointerId)) return;
      const at = place(event);
      state.pointers.set(event.pointerId, at);
      if (state.pinch && state.pointers.size === 2) {
        const now = spread(state.pointers);
        range.zoom(state.pinch.size / now.size, now.middle / at.width);
        range.pan((state.pinch.middle - now.middle) / at.width);
        state.pinch = now;
      } else if (state.drag) {
        dragTo(state, at, { range, selection, tall: box !== null });
      }
    });

    const finish = (event) => {
      const { drag } = state;
      state.pointers.delete(event.pointerId);
      state.drag = null;
      if (state.pointers.size < 2) state.pinch = null;
      selection.hidden = true;
      if (!drag || event.type === "pointercancel") return;
      if (!drag.moved) return plot.focus({ preventScroll: true });
      if (drag.pans) return;
      const { start, last } = drag;
      if (box) box(...(isTall(drag) ? [start.y, last.y].sort((a, b) => a - b) : [null, null]));
      const ends = [valueAt(start.x), valueAt(last.x)].sort((a, b) => a - b);
      if (Math.abs(last.x - start.x) >= DRAG_PX) range.show(...ends);
      else range.later();
    };
    over.addEventListener("pointerup", finish);
    over.addEventListener("pointercancel", finish);
    over.addEventListener("dblclick", () => range.reset());

    over.addEventListener(
      "wheel",
      (event) => {
        const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
        const asked = event.ctrlKey || event.metaKey || document.activeElement === plot;
        if (sideways ? range.isFull : !asked) return;
        const at = place(event);
        const pixels = event.deltaMode === 1 ? 30 : 1;
        if (sideways) range.pan((event.deltaX * pixels) / at.width);
        else if (range.isFull && event.deltaY > 0 && !event.ctrlKey) return;
        else range.zoom(Math.exp(event.deltaY * pixels * WHEEL_SPEED), at.x / at.width);
        event.preventDefault();
      },
      { passive: false },
    );
  }

  /** Makes the keyboard change `range` while `plot` has the focus. */
  function attachKeys({ plot, range }) {
    plot.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const action = keyAction(event.key, range);
      if (!action) return;
      action();
      event.preventDefault();
    });
  }

  function isTall(drag) {
    const high = Math.abs(drag.last.y - drag.start.y);
    return high >= 24 && high >= Math.abs(drag.last.x - drag.start.x) * 0.12;
  }

  function dragTo(state, at, { range, selection, tall }) {
    const { drag } = state;
    const { start, last } = drag;
    drag.moved ||= Math.hypot(at.x - start.x, at.y - start.y) >= DRAG_PX;
    drag.last = at;
    if (!drag.moved) return;
    if (drag.pans) {
      range.pan((last.x - at.x) / at.width);
      return;
    }
    const [top, bottom] = tall && isTall(drag) ? [start.y, at.y].sort((a, b) => a - b) : [0, at.height];
    selection.hidden = false;
    selection.style.left = `${Math.min(start.x, at.x)}px`;
    selection.style.width = `${Math.abs(at.x - start.x)}px`;
    selection.style.top = `${top}px`;
    selection.style.height = `${bottom - top}px`;
  }

  function spread(pointers) {
    const [one, two] = [...pointers.values()];
    return { size: Math.max(10, Math.abs(one.x - two.x)), middle: (one.x + two.x) / 2 };
  }

  function keyAction(key, range) {
    const reset = () => range.reset();
    return {
      ArrowLeft: () => range.pan(-PAN_SHARE),
      ArrowRight: () => range.pan(PAN_SHARE),
      "+": () => range.zoom(0.6),
      "=": () => range.zoom(0.6),
      "-": () => range.zoom(1 / 0.6),
      0: reset,
      Home: reset,
      Escape: reset,
    }[key];
  }

  Object.assign(steelyard, { Range, attach, attachKeys });
})();
