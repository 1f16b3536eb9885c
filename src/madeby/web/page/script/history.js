// The history view: every answer this server remembers, searched, paged and exported.

import { announce } from "./announce.js";
import { request, requestJson } from "./api.js";
import { Card } from "./card.js";
import { release } from "./comparison.js";
import { make, the } from "./dom.js";
import { openEvidence } from "./evidence.js";
import { pictures } from "./words.js";

const PAGE_SIZE = 24;
const TYPING_MS = 300;

let cursors = [null]; // where the pages so far begin; the last one is shown
let next = null;
let latest = 0;
let typing = null;
const cards = new Map();

const actions = {
  evidence: (item) =>
    openEvidence(item, { onChange: actions.changed, onDelete: () => show(), refocus: () => cards.get(item)?.focus() }),
  changed: (item) => cards.get(item)?.update(),
};

/** Wire the view; `show` is called whenever it comes up. */
export function startHistory() {
  the("search").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  the("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(search, TYPING_MS);
  });
  the("search").addEventListener("reset", () => setTimeout(search));
  the("page-next").addEventListener("click", () => turn([...cursors, next]));
  the("page-previous").addEventListener("click", () => turn(cursors.slice(0, -1)));
  for (const button of document.querySelectorAll("[data-export]")) {
    button.addEventListener("click", () => exportAs(button.dataset.export));
  }
  return show;
}

function search() {
  clearTimeout(typing);
  cursors = [null];
  return show();
}

async function turn(pages) {
  cursors = pages;
  await show();
  the("found").focus();
}

async function show() {
  const asked = (latest += 1);
  const query = filter();
  query.set("limit", PAGE_SIZE);
  if (cursors.at(-1)) query.set("cursor", cursors.at(-1));
  the("history-problem").textContent = "";
  try {
    const page = await requestJson(`/results?${query}`);
    if (asked === latest) fill(page); // a later search may have overtaken this one
  } catch (error) {
    the("history-problem").textContent = error.message;
  }
}

function fill(page) {
  next = page.next;
  for (const item of cards.keys()) release(item);
  const focused = the("past").contains(document.activeElement);
  cards.clear();
  for (const record of page.results) {
    const item = { name: record.result.source, record, state: "done", file: null, url: null, past: true };
    cards.set(item, new Card(item, actions));
  }
  the("past").replaceChildren(...[...cards.values()].map((card) => card.element));
  const first = (cursors.length - 1) * PAGE_SIZE + 1;
  const range = page.total > page.results.length ? `${first} to ${first + page.results.length - 1} of ` : "";
  the("found").textContent = page.total ? range + pictures(page.total) : "No pictures found";
  the("page-next").disabled = next === null;
  the("page-previous").disabled = cursors.length === 1;
  if (focused) the("found").focus();
  the("pager").hidden = page.total <= page.results.length;
  for (const button of document.querySelectorAll("[data-export]")) button.disabled = page.total === 0;
  announce(`${pictures(page.total)} found.`);
}

/** The form as the API's query, empty fields left out. */
function filter() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(the("search"))) {
    if (value === "") continue;
    if (name === "verdict" && value === "error") query.set("status", "error");
    else if (name === "since") query.set(name, dayStart(value, 0));
    else if (name === "until") query.set(name, dayStart(value, 1));
    else query.set(name, value);
  }
  return query;
}

/** The moment a day begins where the reader is, `later` days on. */
function dayStart(text, later) {
  const [year, month, day] = text.split("-").map(Number);
  return new Date(year, month - 1, day + later).toISOString();
}

async function exportAs(format) {
  const query = filter();
  query.set("format", format);
  the("history-problem").textContent = "";
  try {
    const answer = await request(`/results/export?${query}`);
    const url = URL.createObjectURL(await answer.blob());
    const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "");
    const link = make("a", { href: url, download: named?.[1] ?? `madeby-results.${format}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    announce("The export is ready.");
  } catch (error) {
    the("history-problem").textContent = error.message;
  }
}
