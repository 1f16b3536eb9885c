// Which two pictures are chosen for comparing, on whatever list they stand.

import { make, the } from "./dom.js";
import { shortName } from "./words.js";

let chosen = [];
const items = new WeakMap(); // box → its item; cards come and go all day, and nothing here may hold on to them
const changed = new EventTarget();

/** The checkbox that chooses an item; a third choice lets go of the first. */
export function compareBox(item) {
  const box = make("input", { type: "checkbox", "aria-label": `Compare ${shortName(item.name)}` });
  items.set(box, item);
  box.checked = chosen.includes(item);
  box.addEventListener("change", () => {
    chosen = box.checked ? [...chosen, item].slice(-2) : chosen.filter((other) => other !== item);
    changed.dispatchEvent(new Event("change"));
  });
  return make("label", { class: "compare-box" }, box, "Compare");
}

/** Let go of an item that leaves its list. */
export function release(item) {
  if (!chosen.includes(item)) return;
  chosen = chosen.filter((other) => other !== item);
  changed.dispatchEvent(new Event("change"));
}

/** Wire the bar that shows the choice and opens the comparison. */
export function startComparison() {
  const bar = the("compare-bar");
  const open = the("compare-open");
  changed.addEventListener("change", () => {
    bar.hidden = chosen.length === 0;
    open.disabled = chosen.length < 2;
    for (const box of document.querySelectorAll(".compare-box input")) box.checked = chosen.includes(items.get(box));
    const names = chosen.map((item) => shortName(item.name));
    the("compare-names").textContent = chosen.length < 2 ? `${names[0] ?? ""}: choose one more to compare` : names.join(" and ");
  });
  open.addEventListener("click", async () => {
    const { openCompare } = await import("./compare.js");
    openCompare(...chosen);
  });
  the("compare-clear").addEventListener("click", () => {
    chosen = [];
    changed.dispatchEvent(new Event("change"));
    the("main").focus();
  });
}
