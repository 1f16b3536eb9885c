// The evidence on one picture: the picture with its map, the verdict, every signal, the file's facts.

import { request } from "./api.js";
import { verdictLine } from "./card.js";
import { openDialog } from "./dialog.js";
import { make } from "./dom.js";
import { evidenceFigure } from "./evidence_map.js";
import { factRows } from "./facts.js";
import { feedbackControls } from "./feedback.js";
import { strengthIcon } from "./icons.js";
import { probabilityScale } from "./scale.js";
import { LABELS, SIGNALS, STRENGTHS, meaningOf, percent, sentence, shortName } from "./words.js";

const SILENT_STATES = new Set(["absent", "clean", "not examined"]);

/**
 * Open the evidence on an item; `onChange` follows feedback, `onDelete` that the record is gone from the server,
 * `refocus` as for dialogs.
 */
export function openEvidence(item, { onChange, onDelete, refocus }) {
  const { result } = item.record;
  const figure = evidenceFigure(item);
  const feedback = make("section", { class: "word" }, feedbackSection());
  function feedbackSection() {
    const controls = feedbackControls(item, changed, { note: true });
    const hint = "Your word goes into the history and can become training data.";
    return [make("h3", {}, "Who made it?"), make("p", { class: "hint" }, hint), controls];
  }
  function changed() {
    feedback.replaceChildren(...feedbackSection());
    feedback.querySelector("button").focus();
    onChange(item);
  }
  const content = make(
    "div",
    { class: "evidence" },
    make("div", { class: "evidence-picture" }, figure.element),
    make(
      "div",
      { class: "evidence-text" },
      verdictLine(result),
      make("p", { class: "reason" }, sentence(result.reason)),
      result.warnings.length ? warningList(result.warnings) : null,
      probabilitySection(result),
      signalSection(result.signals),
      feedback,
      deletion(item, (gone) => {
        dialog.close();
        onDelete?.(gone);
      }),
    ),
    factsSection(item),
  );
  const dialog = openDialog(shortName(item.name), content, { onClose: figure.release, refocus });
}

function warningList(warnings) {
  const entries = warnings.map((text) => make("li", {}, sentence(text)));
  return make("ul", { class: "warnings", "aria-label": "Things to know" }, entries);
}

function probabilitySection(result) {
  if (result.probability === null) return make("p", { class: "meaning" }, meaningOf(result));
  const figure = make("p", { class: "figure" }, make("strong", {}, percent(result.probability)), " by the pixels alone");
  return make(
    "section",
    {},
    make("h3", {}, "Probability of AI"),
    figure,
    make("p", { class: "likelihood" }, probabilityScale(result)),
    make("p", { class: "meaning" }, meaningOf(result)),
  );
}

function signalSection(signals) {
  const silent = signals.filter((signal) => signal.strength === "none" && SILENT_STATES.has(signal.detail.state));
  const order = Object.keys(STRENGTHS);
  const speaking = signals
    .filter((signal) => !silent.includes(signal))
    .sort((one, other) => order.indexOf(one.strength) - order.indexOf(other.strength));
  const list = make("ul", { class: "signals" }, speaking.map(signalEntry));
  const nothing = silent.length
    ? make(
        "details",
        { class: "silent" },
        make("summary", {}, `Looked for without result: ${silent.length}`),
        make("ul", {}, silent.map((signal) => make("li", {}, `${nameOf(signal)}: ${signal.reason}`))),
        make("p", { class: "hint" }, "Most pictures lose their marks on the way. That there are none is evidence of nothing."),
      )
    : null;
  return make("section", {}, make("h3", {}, "Evidence"), list, nothing);
}

function signalEntry(signal) {
  const side = signal.points_to ? `, points to ${LABELS[signal.points_to]}` : "";
  const weight = make("p", { class: "weight" }, strengthIcon(signal.strength), `${STRENGTHS[signal.strength]}${side}`);
  const found = Object.entries(signal.detail).filter(([, value]) => value !== null && value !== "");
  const summary = make("summary", { "aria-label": `What was found: ${nameOf(signal)}` }, "What was found");
  const details = found.length ? make("details", {}, summary, detailList(found)) : null;
  return make(
    "li",
    { class: `signal ${signal.points_to ?? "neither"}` },
    make("h4", {}, nameOf(signal)),
    weight,
    make("p", {}, sentence(signal.reason)),
    details,
  );
}

function nameOf(signal) {
  return SIGNALS[signal.name] ?? signal.name;
}

function detailList(entries) {
  const rows = entries.flatMap(([name, value]) => [make("dt", {}, name.replaceAll("_", " ")), make("dd", {}, plain(value))]);
  return make("dl", { class: "facts-list" }, rows);
}

/** What a file says, as text: lists with commas, whole structures as JSON, long fractions cut. */
function plain(value) {
  if (Array.isArray(value) && value.every((entry) => typeof entry !== "object")) return value.join(", ");
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(4)));
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? JSON.stringify(value, null, 1) : String(value);
}

function factsSection(item) {
  return make("section", { class: "evidence-file" }, make("h3", {}, "The file"), detailList(factRows(item.record)));
}

function deletion(item, onGone) {
  const problem = make("p", { class: "problem", role: "alert" });
  const sure = make("button", { class: "quiet danger", type: "button" }, "Delete for good");
  sure.addEventListener("click", async () => {
    sure.disabled = true;
    try {
      await request(`/results/${item.record.id}`, { method: "DELETE" });
      onGone(item);
    } catch (error) {
      problem.textContent = error.message;
      sure.disabled = false;
    }
  });
  return make(
    "details",
    { class: "deletion" },
    make("summary", {}, "Delete from the history"),
    make("p", { class: "hint" }, "The result, what was said of it and the picture, if it was kept, leave this server."),
    sure,
    problem,
  );
}
