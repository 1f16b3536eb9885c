// The scale under a verdict: where the probability lies, and where the model's thresholds are.

import { draw } from "./dom.js";

const WIDTH = 200;

/** A line from 0 to 1 with the zones human, uncertain and ai, and a marker. Decoration: the words beside it say it all. */
export function probabilityScale(result) {
  const { threshold_human: human = 0.5, threshold_ai: ai = 0.5 } = detectorDetail(result);
  const at = (probability) => WIDTH * Math.min(1, Math.max(0, probability));
  const gap = 1;
  const zones = [
    ["human", 0, at(human) - gap],
    ["uncertain", at(human) + gap, at(ai) - gap],
    ["ai", at(ai) + gap, WIDTH],
  ].filter(([, from, to]) => to > from);
  return draw(
    "svg",
    { class: "scale", viewBox: `-6 0 ${WIDTH + 12} 16`, "aria-hidden": "true", focusable: "false" },
    zones.map(([name, from, to]) => draw("rect", { class: `zone ${name}`, x: from, y: 6, width: to - from, height: 4, rx: 2 })),
    draw("circle", { class: "marker", cx: at(result.probability), cy: 8, r: 5 }),
  );
}

/** What the detector's signal found, empty where it did not run. */
export function detectorDetail(result) {
  return result.signals.find((signal) => signal.name === "detector")?.detail ?? {};
}
