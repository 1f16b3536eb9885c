// One picture's card: from waiting in the queue to its verdict.

import { compareBox } from "./comparison.js";
import { freshId, make } from "./dom.js";
import { feedbackControls } from "./feedback.js";
import { closeIcon, verdictIcon } from "./icons.js";
import { forgetThumbnail, formatByName, placeholder } from "./thumbnails.js";
import { thumbnailFor } from "./sight.js";
import { probabilityScale } from "./scale.js";
import { VERDICTS, fileSize, meaningOf, moment, percent, sentence, shortName, verdictOf } from "./words.js";

/**
 * The card of an item. `actions`: `evidence(item)`, `changed(item)`, and where they apply `cancel`, `retry`, `remove`.
 * `update()` follows the item's state; only what changed is drawn anew, and focus stays in the card.
 */
export class Card {
  constructor(item, actions) {
    this.item = item;
    this.actions = actions;
    this.shown = null;
    this.near = false;
    const id = freshId("card");
    this.body = make("div", { class: "card-body" });
    this.picture = make("div", { class: "card-picture" });
    const name = make("h3", { id, class: "card-name", title: item.name }, shortName(item.name));
    this.element = make(
      "li",
      { class: "card" },
      make("article", { "aria-labelledby": id }, this.picture, make("div", { class: "card-text" }, name, this.body)),
    );
    this.picture.addEventListener("click", () => item.record?.result.status === "ok" && actions.evidence(item));
    this.update();
    this.showStandIn();
    whenNear(this.element, () => {
      this.near = true;
      this.showPicture();
    });
  }

  update() {
    const { item } = this;
    const state = item.state === "done" ? `done ${JSON.stringify(item.record.feedback)}` : item.state;
    if (state === this.shown) return this.updateProgress();
    this.shown = state;
    this.element.dataset.state = item.state;
    this.element.dataset.verdict = item.state === "done" ? verdictOf(item.record.result) : "";
    const focused = this.body.contains(document.activeElement);
    this.body.replaceChildren(...this.content());
    if (focused) this.focus();
    if (item.state === "done" && this.near && this.picture.querySelector(".placeholder")) this.showPicture();
  }

  /** Put the focus on the card's first control. */
  focus() {
    this.body.querySelector("button, summary, input")?.focus();
  }

  /** Give back the memory of a card that is taken off its list. */
  forget() {
    nearby.unobserve(this.element);
    if (this.item.file) forgetThumbnail(this.item.file);
  }

  updateProgress() {
    const bar = this.body.querySelector("progress");
    if (bar && this.item.state === "sending") bar.value = this.item.progress;
  }

  content() {
    const { item } = this;
    const name = shortName(item.name);
    const button = (text, action) =>
      make("button", { class: "quiet", type: "button", "aria-label": `${text}: ${name}`, onclick: () => action(item) }, text);
    const cancel = button("Cancel", this.actions.cancel);
    switch (item.state) {
      case "waiting":
        return [make("p", { class: "state" }, "Waiting"), make("p", { class: "actions" }, cancel)];
      case "sending":
      case "checking": {
        const sending = item.state === "sending";
        const word = sending ? "Sending" : "Checking";
        const bar = make("progress", { max: 1, value: sending ? item.progress : null, "aria-label": `${word} ${name}` });
        return [make("p", { class: "state" }, word), bar, make("p", { class: "actions" }, cancel)];
      }
      case "failed":
      case "cancelled": {
        const text = item.state === "failed" ? item.problem : "Cancelled";
        const actions = [button("Try again", this.actions.retry), button("Remove", this.actions.remove)];
        return [make("p", { class: "state" }, text), make("p", { class: "actions" }, actions)];
      }
      default:
        return item.record.result.status === "error" ? this.unread(button) : this.answered(button);
    }
  }

  answered(button) {
    const { item } = this;
    const { result, created } = item.record;
    const { picture } = result;
    const facts = `${picture.format} · ${picture.width} × ${picture.height} · ${fileSize(picture.bytes)}`;
    return [
      verdictLine(result),
      make("p", { class: "reason" }, sentence(result.reason)),
      result.probability === null
        ? null
        : make("p", { class: "likelihood" }, probabilityScale(result), make("span", {}, percent(result.probability))),
      make("p", { class: "meaning" }, meaningOf(result)),
      result.warnings.length ? make("p", { class: "warned" }, notes(result.warnings.length)) : null,
      make("p", { class: "facts" }, facts),
      item.past ? make("p", { class: "facts" }, moment(created)) : null,
      make(
        "div",
        { class: "actions" },
        button("Evidence", this.actions.evidence),
        feedbackControls(item, this.actions.changed),
        compareBox(item),
        this.removal(),
      ),
    ].filter(Boolean);
  }

  unread(button) {
    const { result, created } = this.item.record;
    const again = this.item.past ? null : button("Try again", this.actions.again);
    return [
      verdictLine(result),
      make("p", { class: "reason" }, sentence(result.error.message)),
      this.item.past ? make("p", { class: "facts" }, moment(created)) : null,
      make("div", { class: "actions" }, again, this.removal()),
    ].filter(Boolean);
  }

  removal() {
    if (!this.actions.remove) return null;
    const { item } = this;
    const label = this.actions.removeLabel(shortName(item.name));
    const attributes = { class: "icon-button removal", type: "button", "aria-label": label, title: label };
    return make("button", { ...attributes, onclick: () => this.actions.remove(item) }, closeIcon());
  }

  async showPicture() {
    const url = await thumbnailFor(this.item);
    const alt = `Picture: ${shortName(this.item.name)}`;
    if (url) this.picture.replaceChildren(make("img", { src: url, alt, decoding: "async" }));
    else this.showStandIn();
  }

  showStandIn() {
    const { item } = this;
    const format = item.record?.result.picture?.format ?? formatByName(item.name);
    const why = item.file ? "no preview in this browser" : item.url ? "from an address" : "picture not kept";
    this.picture.replaceChildren(placeholder(format, this.near || !item.file ? why : ""));
  }
}

// Thumbnails are made when a card comes near the screen: a folder of thousands costs nothing at once.
const nearby = new IntersectionObserver(
  (entries) => {
    for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
      nearby.unobserve(target);
      target.dispatchEvent(new Event("near"));
    }
  },
  { rootMargin: "600px" },
);

function whenNear(element, action) {
  element.addEventListener("near", action, { once: true });
  nearby.observe(element);
}

/** The verdict with its shape. */
export function verdictLine(result, tag = "p") {
  const verdict = verdictOf(result);
  return make(tag, { class: `verdict ${verdict}` }, verdictIcon(verdict), make("span", {}, VERDICTS[verdict]));
}

function notes(count) {
  return count === 1 ? "1 thing to know: see the evidence" : `${count} things to know: see the evidence`;
}
