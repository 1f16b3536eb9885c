// What a screen reader says of its own accord: short, polite, and never one sentence a picture in a flood.

import { the } from "./dom.js";

const PAUSE_MS = 1200;
let waiting = [];
let timer = null;

/** Say a sentence; sentences that come close together are said together, and of many only the last ones. */
export function announce(sentence) {
  waiting.push(sentence);
  timer ??= setTimeout(() => {
    the("said").textContent = waiting.slice(-3).join(" ");
    waiting = [];
    timer = null;
  }, PAUSE_MS);
}
