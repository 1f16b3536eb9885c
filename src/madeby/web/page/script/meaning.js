// The page on what verdicts mean: the model's own limits come from the model's own description and card.

import { requestJson } from "./api.js";
import { cardElements } from "./model_card.js";
import { make, the } from "./dom.js";
import { startTheme } from "./theme.js";
import { percent } from "./words.js";

startTheme(the("theme"));
start();

async function start() {
  try {
    const { models } = await requestJson("/models");
    const choice = the("which");
    for (const model of models) choice.append(new Option(`${model.name} ${model.version}`, model.name, false, model.default));
    the("model-choice").hidden = models.length < 2;
    choice.addEventListener("change", show);
    if (models.length) await show();
  } catch (error) {
    the("model-problem").textContent = error.message;
  }
}

async function show() {
  the("model-problem").textContent = "";
  try {
    const { spec, card, threshold_profile: profile } = await requestJson(`/models/${encodeURIComponent(the("which").value)}`);
    the("model-facts").replaceChildren(facts(spec, profile));
    the("model-card").replaceChildren(...cardElements(card));
    the("model-card-details").hidden = card === "";
  } catch (error) {
    the("model-problem").textContent = error.message;
  }
}

function facts({ name, version, thresholds, profiles, calibration, domain }, profile) {
  const sentences = [
    `The model is ${name} ${version}.`,
    ...promises(profile === "balanced" ? thresholds : profiles[profile], profile),
    calibration.method === "none" ? "Its scores are not calibrated: do not read them as probabilities." : "",
    domain.description ? `It was validated on: ${domain.description}.` : "",
    `Pictures with a side under ${domain.min_side} pixels, and others unlike its validation pictures, ` +
      "are called uncertain by their pixels.",
  ];
  return make("p", {}, sentences.filter(Boolean).join(" "));
}

/** Where verdicts begin and what that promises, by the thresholds that this server answers with. */
function promises(thresholds, profile) {
  if (!thresholds) return [`It has no thresholds for the profile ${profile}, by which this server answers.`];
  const { ai, human, false_alarm_target: falseAlarms, miss_target: misses } = thresholds;
  const photographs = thresholds.n_human ? `the ${thresholds.n_human.toLocaleString("en")}` : "those";
  return [
    ai > 1
      ? "It never calls a picture AI-made by its pixels: too few photographs were at hand to promise a rate of false alarms."
      : `It calls a picture AI-made from ${percent(ai)} on, ` +
        `so that at most ${share(falseAlarms)} of human-made pictures like ${photographs} it was validated on are called AI-made.`,
    human < 0
      ? "It never calls a picture human-made by its pixels."
      : `It calls a picture human-made up to ${percent(human)}, ` +
        `so that at most ${share(misses)} of AI-made pictures like those it was validated on are called human-made.`,
  ];
}

/** A promised share, exactly: 0.005 is 0.5 %. */
function share(promised) {
  return `${Number((100 * promised).toPrecision(3))} %`;
}
