// The check view: what came in, how far it is, and the cards, filtered and sorted.

import { announce } from "./announce.js";
import { requestJson, upload } from "./api.js";
import { release } from "./comparison.js";
import { the } from "./dom.js";
import { startPicking } from "./picking.js";
import { Queue } from "./queue.js";
import { VERDICTS, pictures, shortName, verdictOf } from "./words.js";

const TOLD_ONE_BY_ONE = 6;

const cards = new Map(); // item → its card, in order of arrival
let batch = 0;
let scheduled = false;

const queue = new Queue(sendItem, (item) => {
  cards.get(item)?.update();
  if (item.state === "done" || item.state === "failed") announceEnd(item);
  refresh();
});

const actions = {
  evidence: async (item) => {
    const { openEvidence } = await import("./evidence.js");
    openEvidence(item, {
      onChange: actions.changed,
      onDelete: actions.remove,
      refocus: () => cards.get(item)?.focus(),
    });
  },
  changed: (item) => cards.get(item)?.update(),
  cancel: (item) => queue.cancel(item),
  retry: (item) => queue.retry(item),
  again: (item) => queue.requeue(item),
  remove: (item) => remove([item]),
  removeLabel: (name) => `Take ${name} off this list`,
};

/** Wire the check view. */
export function startChecking() {
  startPicking(take);
  the("filter").addEventListener("change", arrange);
  the("sort").addEventListener("change", arrange);
  the("cancel-all").addEventListener("click", () => open().forEach((item) => queue.cancel(item)));
  the("retry-all").addEventListener("click", () => unfinished().forEach((item) => queue.retry(item)));
  the("clear").addEventListener("click", () => {
    remove([...cards.keys()]);
    the("pick-files").focus();
  });
  addEventListener("beforeunload", (event) => open().length > 0 && event.preventDefault());
  setInterval(() => queue.resting > 0 && refresh(), 500);
}

function take({ files, urls, leftOut }) {
  batch += 1;
  const fresh = [
    ...files.map(({ file, name }) => ({ file, name, url: null })),
    ...urls.map((url) => ({ file: null, name: url, url })),
  ].map((item, place) => ({ ...item, batch, place }));
  const others = leftOut ? ` ${leftOut} other ${leftOut === 1 ? "file" : "files"} left out.` : "";
  the("left-out").textContent = fresh.length ? others : `No pictures there.${others}`;
  announce(`${pictures(fresh.length)} added.${others}`);
  queueAll(fresh);
  if (fresh.length && location.hash === "#history") location.hash = "#check";
}

/** The cards' code comes with the first picture: before that the page has no use for it. */
async function queueAll(items) {
  const { Card } = await import("./card.js");
  queue.add(items);
  for (const item of items) cards.set(item, new Card(item, actions));
  refresh();
}

async function sendItem(item, { signal, onProgress }) {
  const form = new FormData();
  if (item.file) form.append("files", item.file, item.name);
  else form.append("urls", item.url);
  const model = the("model").value;
  if (model) form.append("model", model);
  const examine = the("examine").value;
  if (examine === "pixels") form.append("provenance", "false");
  if (examine === "provenance") form.append("detector", "false");
  const answer = await upload("/scan", form, { signal, onProgress });
  return answer.results[0];
}

function remove(items) {
  for (const item of items) {
    queue.remove(item);
    release(item);
    const { element } = cards.get(item);
    const next = element.nextElementSibling ?? element.previousElementSibling;
    if (element.contains(document.activeElement)) (next?.querySelector("button") ?? the("pick-files")).focus();
    element.remove();
    cards.get(item).forget();
    cards.delete(item);
  }
  refresh();
}

const open = () => [...cards.keys()].filter((item) => ["waiting", "sending", "checking"].includes(item.state));
const unfinished = () => [...cards.keys()].filter((item) => ["failed", "cancelled"].includes(item.state));

/** Draw progress, counts and order once a frame, however many pictures changed in it. */
function refresh() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    showProgress();
    arrange();
  });
}

function showProgress() {
  const all = cards.size;
  const left = open().length;
  const again = unfinished().length;
  document.body.classList.toggle("has-cards", all > 0);
  the("pictures").hidden = all === 0;
  the("progress").hidden = all === 0;
  the("progress-bar").hidden = left === 0;
  the("progress-bar").max = all || 1;
  the("progress-bar").value = all - left;
  the("cancel-all").hidden = left === 0;
  the("retry-all").hidden = again === 0;
  the("clear").hidden = left > 0;
  const parts = [left ? `${all - left} of ${all} checked` : `${pictures(all - again)} checked`];
  if (again) parts.push(`${again} not sent`);
  if (queue.resting) parts.push(`the server is busy; going on in ${queue.resting} s`);
  the("progress-text").textContent = parts.join(", ");
}

function kindOf(item) {
  if (item.state === "done") return verdictOf(item.record.result);
  return item.state === "failed" || item.state === "cancelled" ? "error" : "open";
}

const ORDERS = {
  newest: (one, other) => other.batch - one.batch || one.place - other.place,
  ai: (one, other) => probability(other, -1) - probability(one, -1),
  human: (one, other) => probability(one, 2) - probability(other, 2),
  name: (one, other) => shortName(one.name).localeCompare(shortName(other.name), undefined, { numeric: true }),
};

function probability(item, none) {
  return item.record?.result.probability ?? none;
}

function arrange() {
  const wanted = the("filter").elements.verdict.value;
  const counts = { all: cards.size, ai: 0, human: 0, uncertain: 0, error: 0, open: 0 };
  for (const [item, card] of cards) {
    counts[kindOf(item)] += 1;
    card.element.hidden = wanted !== "all" && kindOf(item) !== wanted;
  }
  for (const output of the("filter").querySelectorAll("[data-count]")) output.textContent = counts[output.dataset.count];
  the("none-shown").hidden = cards.size === 0 || wanted === "all" || counts[wanted] > 0;
  const order = ORDERS[the("sort").value];
  const list = the("cards");
  const focused = document.activeElement;
  let place = list.firstElementChild;
  for (const item of [...cards.keys()].sort((one, other) => order(one, other) || ORDERS.newest(one, other))) {
    const { element } = cards.get(item);
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
  }
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

/** A few pictures are told one by one, many only once the last of them is through. */
function announceEnd(item) {
  const fresh = [...cards.keys()].filter((other) => other.batch === item.batch);
  if (fresh.length <= TOLD_ONE_BY_ONE) {
    const outcome = item.state === "done" ? `${VERDICTS[verdictOf(item.record.result)]}.` : item.problem;
    announce(`${shortName(item.name)}: ${outcome}`);
  } else if (open().length === 0) {
    const of = (kind) => fresh.filter((other) => kindOf(other) === kind).length;
    announce(`${pictures(fresh.length)} checked: ${of("ai")} AI-made, ${of("human")} human-made, ${of("uncertain")} uncertain.`);
  }
}

/** Fill the choice of models; returns the default one's description. */
export async function showModels() {
  const { models } = await requestJson("/models");
  const choice = the("model");
  for (const model of models) {
    const name = `${model.name} ${model.version}`;
    const option = model.default ? new Option(`${name} (default)`, "") : new Option(name, model.name);
    option.selected = model.default;
    choice.append(option);
  }
  return models.find((model) => model.default) ?? models[0] ?? null;
}
