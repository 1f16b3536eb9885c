// The shapes. A verdict is told by its shape and its word, never by colour alone.

import { draw } from "./dom.js";

const VERDICT_SHAPES = {
  ai: () => [draw("path", { d: "M12 2.2 21.8 12 12 21.8 2.2 12z", class: "solid" })],
  human: () => [draw("circle", { cx: 12, cy: 12, r: 8.2, class: "line" })],
  uncertain: () => [
    draw("circle", { cx: 12, cy: 12, r: 8.2, class: "line", "stroke-dasharray": "3.6 3.6" }),
    draw("path", { d: "M8.4 12h7.2", class: "line" }),
  ],
  error: () => [draw("path", { d: "M5 5l14 14M19 5 5 19", class: "line" })],
};

/** The shape of a verdict: a filled diamond for AI, a ring for human, a broken ring for uncertain, a cross for none. */
export function verdictIcon(verdict) {
  return icon(`verdict-icon ${verdict}`, VERDICT_SHAPES[verdict]());
}

/** A cross. */
export function closeIcon() {
  return icon("line-icon", [draw("path", { d: "M5 5l14 14M19 5 5 19", class: "line" })]);
}

/** How strong a signal is: none to three bars. */
export function strengthIcon(strength) {
  const bars = { none: 0, weak: 1, strong: 2, conclusive: 3 }[strength];
  const drawn = [0, 1, 2].map((bar) =>
    draw("rect", {
      x: 3 + bar * 7, y: 15 - bar * 5, width: 4.5, height: 6 + bar * 5, rx: 1, class: bar < bars ? "solid" : "faint",
    }),
  );
  return icon("strength-icon", drawn);
}

function icon(name, shapes) {
  return draw("svg", { class: name, viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, ...shapes);
}
