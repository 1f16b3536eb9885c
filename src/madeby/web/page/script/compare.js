// Two pictures side by side, and what differs between them.

import { verdictLine } from "./card.js";
import { openDialog } from "./dialog.js";
import { make } from "./dom.js";
import { evidenceFigure } from "./evidence_map.js";
import { factRows } from "./facts.js";
import { SIGNALS, STRENGTHS, percent, sentence, shortName } from "./words.js";

const ALIKE_BITS = 10; // of 64: at most so many differ between versions of one picture

/** Open the comparison of two items. */
export function openCompare(one, other) {
  const figures = [one, other].map(evidenceFigure);
  const heads = [one, other].map((item, place) =>
    make("th", { scope: "col" }, make("span", { class: "column-name" }, shortName(item.name)), figures[place].element),
  );
  const rows = rowsOf(one, other).map(([name, left, right]) => {
    const cells = [left, right].map((cell) => make("td", {}, cell instanceof Node ? cell : String(cell)));
    const differs = textOf(left) !== textOf(right);
    return make("tr", { class: differs ? "differs" : "same" }, make("th", { scope: "row" }, name), cells);
  });
  const table = make(
    "table",
    { class: "comparison" },
    make("thead", {}, make("tr", {}, make("td"), heads)),
    make("tbody", {}, rows),
  );
  const content = make("div", {}, make("p", { class: "likeness" }, likeness(one, other)), table);
  openDialog("Side by side", content, { onClose: () => figures.forEach((figure) => figure.release()) });
}

function rowsOf(one, other) {
  const results = [one.record.result, other.record.result];
  const pair = (name, of) => [name, ...results.map(of)];
  const facts = [one, other].map((item) => new Map(factRows(item.record)));
  const named = new Set(facts.flatMap((rows) => [...rows.keys()]));
  const signals = new Set(results.flatMap((result) => result.signals.map((signal) => signal.name)));
  return [
    pair("Verdict", (result) => verdictLine(result, "div")),
    pair("Probability of AI", (result) => (result.probability === null ? "not examined" : percent(result.probability))),
    pair("Reason", (result) => sentence(result.reason)),
    ...[...signals].map((name) => pair(SIGNALS[name] ?? name, (result) => weightOf(result, name))),
    ...[...named].filter((name) => name !== "Name").map((name) => [name, ...facts.map((rows) => rows.get(name) ?? "none")]),
  ];
}

function weightOf(result, name) {
  const signal = result.signals.find((found) => found.name === name);
  if (!signal) return "not read";
  return signal.strength === "none" ? sentence(signal.reason) : sentence(`${STRENGTHS[signal.strength]}: ${signal.reason}`);
}

function textOf(cell) {
  return cell instanceof Node ? cell.textContent : String(cell);
}

function likeness(one, other) {
  const [left, right] = [one, other].map((item) => item.record.result.picture);
  if (left.sha256 === right.sha256) return "These are the same file, byte for byte.";
  if (!left.perceptual_hash || !right.perceptual_hash) return "Two different files.";
  const bits = differingBits(left.perceptual_hash, right.perceptual_hash);
  const alike = bits <= ALIKE_BITS ? "they look alike and may be versions of one picture" : "they look like different pictures";
  return `Two different files; ${alike} (${bits} of 64 bits of the perceptual hashes differ).`;
}

function differingBits(one, other) {
  let differing = BigInt(`0x${one}`) ^ BigInt(`0x${other}`);
  let count = 0;
  for (; differing; differing >>= 1n) count += Number(differing & 1n);
  return count;
}
