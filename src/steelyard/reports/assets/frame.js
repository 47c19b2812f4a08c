// What all pages share: reading the data block, numbers and times as people read them, the theme,
// and small DOM parts. Nothing here draws. Texts from the data only ever become text nodes.
"use strict";
window.steelyard = {};
window.steelyardReady = false;

(() => {
  const READERS = { i1: Int8Array, i2: Int16Array, i4: Int32Array, f4: Float32Array };

  /** The page's data: what Python put into the data block. */
  function pageData() {
    return JSON.parse(document.getElementById("data").textContent);
  }

  /** A packed column as doubles; NaN stands for unknown. `null` when there is no column. */
  function unpack(packed) {
    if (!packed) return null;
    const text = atob(packed.base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    const stored = new READERS[packed.kind](bytes.buffer);
    const values = new Float64Array(stored);
    const scale = packed.scale ?? 1;
    const missing = packed.missing;
    for (let i = 0; i < values.length; i++) {
      values[i] = missing !== undefined && values[i] === missing ? NaN : values[i] * scale;
    }
    return values;
  }

  /** A column as a chart wants it: an array with `null` for unknown. */
  function gaps(values) {
    return Array.from(values, (value) => (Number.isNaN(value) ? null : value));
  }

  const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
  const formats = new Map();

  function fixed(value, digits) {
    if (!formats.has(digits)) {
      const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
      formats.set(digits, new Intl.NumberFormat("en-US", options));
    }
    return formats.get(digits).format(value);
  }

  /** Three significant digits or more: `0.123`, `4.57`, `38.1`, `1,234`. */
  function number(value) {
    const size = Math.abs(value);
    if (Number.isInteger(value) || size >= 99.95) return whole.format(value);
    return fixed(value, size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3);
  }

  /** A latency given in ms, in the unit that suits its size: `0.42 ms`, `85.3 ms`, `1.52 s`. */
  function latency(ms) {
    return Math.abs(ms) >= 999.5 ? `${number(ms / 1000)} s` : `${number(ms)} ms`;
  }

  /** A point of time since the start, in seconds, exact to `step` seconds: `12.5 s`, `1:02:05`. */
  function moment(seconds, step, longest) {
    const digits = step >= 1 ? 0 : Math.min(5, Math.ceil(-Math.log10(step) - 1e-9));
    if (longest < 180) return `${fixed(seconds, digits)} s`;
    const sign = seconds < 0 ? "−" : "";
    const rounded = Number(Math.abs(seconds).toFixed(digits));
    const hours = Math.floor(rounded / 3600);
    const minutes = Math.floor((rounded % 3600) / 60);
    const rest = (rounded % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
    if (longest < 3600) return `${sign}${minutes}:${rest}`;
    return `${sign}${hours}:${String(minutes).padStart(2, "0")}:${rest}`;
  }

  /** An element with properties, attributes (names with a dash, `role`) and children. */
  function element(tag, settings = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(settings)) {
      if (name.includes("-") || name === "role") made.setAttribute(name, value);
      else made[name] = value;
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  /** A row of buttons of which one is chosen; `choose` is called with its index. */
  function choice(label, names, chosen, choose) {
    const buttons = names.map((name, index) =>
      element("button", {
        type: "button",
        textContent: name,
        "aria-pressed": String(index === chosen),
        onclick: () => {
          buttons.forEach((other, at) => other.setAttribute("aria-pressed", String(at === index)));
          choose(index);
        },
      }),
    );
    return element("div", { className: "choice", role: "group", "aria-label": label }, ...buttons);
  }

  // Theme -----------------------------------------------------------------------------------------

  const THEMES = ["auto", "light", "dark"];
  const THEME_NAMES = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const repaints = [];
  let wanted = remembered();
  let printing = false;

  function remembered() {
    try {
      const kept = localStorage.getItem("steelyard-theme");
      return THEMES.includes(kept) ? kept : "auto";
    } catch {
      return "auto";
    }
  }

  function remember() {
    try {
      localStorage.setItem("steelyard-theme", wanted);
    } catch {
      // Pages in a sandbox have no storage; the choice then lasts as long as the page.
    }
  }

  function applyTheme() {
    const shown = printing ? "light" : wanted === "auto" ? (dark.matches ? "dark" : "light") : wanted;
    document.documentElement.dataset.theme = shown;
    readColors();
    const button = document.getElementById("theme");
    button.textContent = THEME_NAMES[wanted];
    button.setAttribute("aria-label", `Colours: ${wanted}. Press to change.`);
    repaints.forEach((repaint) => repaint());
  }

  /** The colours of the theme by the names of their CSS variables; kept up to date. */
  const colors = {};
  const COLOR_NAMES = [
    "ink", "muted", "grid", "card", "steady", "steady-ink", "planned", "wait", "decode", "fail", "good", "a", "b", "c",
    "p0", "p1", "p2", "k0", "k1", "k2", "k3", "k4", "k5", "k6",
  ];

  function readColors() {
    const style = getComputedStyle(document.documentElement);
    for (const name of COLOR_NAMES) colors[name] = style.getPropertyValue(`--${name}`).trim();
  }

  /** Calls `repaint` whenever the colours have changed. */
  function onTheme(repaint) {
    repaints.push(repaint);
  }

  function setPrinting(now) {
    printing = now;
    applyTheme();
  }

  document.getElementById("theme").onclick = () => {
    wanted = THEMES[(THEMES.indexOf(wanted) + 1) % THEMES.length];
    remember();
    applyTheme();
  };
  dark.addEventListener("change", applyTheme);
  applyTheme();

  Object.assign(window.steelyard, {
    pageData, unpack, gaps, number, latency, moment, element, choice, colors, onTheme, setPrinting,
  });
})();
