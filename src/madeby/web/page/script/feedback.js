// "This is wrong": a person's word on a picture, given and withdrawn.

import { announce } from "./announce.js";
import { requestJson, request } from "./api.js";
import { make } from "./dom.js";
import { LABELS, shortName } from "./words.js";

const QUESTIONS = {
  ai: [["human", "Wrong: a human made it"], ["ai", "Right: it is AI-made"]],
  human: [["ai", "Wrong: it is AI-made"], ["human", "Right: a human made it"]],
  uncertain: [["human", "A human made it"], ["ai", "It is AI-made"]],
};

/** Controls for the word on an item; `onChange(item)` follows once the server has it. `note` adds a field for a note. */
export function feedbackControls(item, onChange, { note = false } = {}) {
  const { feedback, result } = item.record;
  const problem = make("p", { class: "problem", role: "alert" });
  const act = (action) => async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      await action();
      onChange(item);
    } catch (error) {
      problem.textContent = error.message;
      button.disabled = false;
      button.focus();
    }
  };
  if (feedback) {
    const said = make("span", {}, `You said: ${LABELS[feedback.label]}.`);
    const more = note && feedback.note ? make("q", {}, feedback.note) : null;
    const undo = make("button", { class: "quiet", type: "button", onclick: act(() => withdraw(item)) }, "Undo");
    undo.setAttribute("aria-label", `Undo what you said of ${shortName(item.name)}`);
    return make("div", { class: "feedback said" }, said, " ", more, undo, problem);
  }
  const field = note ? make("input", { type: "text", maxlength: 2000, autocomplete: "off", class: "note" }) : null;
  const buttons = QUESTIONS[result.verdict].map(([label, words]) =>
    make("button", { class: "quiet", type: "button", onclick: act(() => give(item, label, field?.value ?? "")) }, words),
  );
  const label = field && make("label", {}, "How do you know? (optional)", field);
  const choices = make("div", { class: "choices" }, label, buttons, problem);
  if (note) return make("div", { class: "feedback" }, choices);
  const summary = make("summary", { "aria-label": `Who made ${shortName(item.name)}? Tell us` }, "Wrong?");
  return make("details", { class: "feedback" }, summary, choices);
}

async function give(item, label, note) {
  const answer = await requestJson(`/results/${item.record.id}/feedback`, { method: "POST", body: { label, note } });
  item.record = { ...item.record, feedback: answer.feedback ?? answer };
  announce(`Noted: ${shortName(item.name)} is ${LABELS[label]}.`);
}

async function withdraw(item) {
  await request(`/results/${item.record.id}/feedback`, { method: "DELETE" });
  item.record = { ...item.record, feedback: null };
  announce(`Withdrawn: what you said of ${shortName(item.name)}.`);
}
