// The upload queue: a few pictures under way at a time, each with its own progress, cancelling and retrying.

import { ApiError } from "./api.js";

const AT_ONCE = 3;
const LONGEST_OWN_PAUSE_S = 30; // where the server names none

/**
 * An item moves `waiting` → `sending` → `checking` → `done`, or ends `failed` or `cancelled` and may be retried.
 * While the server asks for patience (429, 503) items stay `waiting` and the whole queue rests for as long as it said.
 */
export class Queue {
  /** `send(item, {signal, onProgress})` gives the item's record; `onChange(item)` follows every step. */
  constructor(send, onChange) {
    this.send = send;
    this.onChange = onChange;
    this.items = [];
    this.running = 0;
    this.restingUntil = 0;
    this.refusals = 0;
  }

  add(items) {
    for (const item of items) {
      Object.assign(item, { state: "waiting", progress: 0, problem: null, record: null, abort: null });
      this.items.push(item);
    }
    this.pump();
  }

  cancel(item) {
    if (item.state === "waiting") this.move(item, "cancelled");
    else item.abort?.abort();
  }

  retry(item) {
    if (item.state === "failed" || item.state === "cancelled") this.requeue(item);
  }

  /** Take an item out for good. */
  remove(item) {
    this.cancel(item);
    this.items = this.items.filter((other) => other !== item);
  }

  /** Seconds until the queue goes on, 0 when it is not resting. */
  get resting() {
    return Math.max(0, Math.ceil((this.restingUntil - Date.now()) / 1000));
  }

  requeue(item) {
    item.progress = 0;
    item.problem = null;
    this.move(item, "waiting");
    this.pump();
  }

  move(item, state) {
    item.state = state;
    this.onChange(item);
  }

  pump() {
    if (this.resting > 0) return;
    for (const item of this.items) {
      if (this.running >= AT_ONCE) return;
      if (item.state === "waiting") this.run(item);
    }
  }

  async run(item) {
    this.running += 1;
    item.abort = new AbortController();
    this.move(item, "sending");
    try {
      item.record = await this.send(item, {
        signal: item.abort.signal,
        onProgress: (share) => {
          item.progress = share;
          this.move(item, share < 1 ? "sending" : "checking");
        },
      });
      this.refusals = 0;
      this.move(item, "done");
    } catch (error) {
      this.fail(item, error);
    } finally {
      this.running -= 1;
      this.pump();
    }
  }

  fail(item, error) {
    if (error.name === "AbortError") return this.move(item, "cancelled");
    if (error instanceof ApiError && error.busy) return this.rest(item, error.retryAfter);
    item.problem = error instanceof ApiError ? error.message : `This page has a fault: ${error.message}`;
    this.move(item, "failed");
  }

  rest(item, retryAfter) {
    this.refusals += 1;
    const seconds = retryAfter ?? Math.min(2 ** Math.min(this.refusals, 10), LONGEST_OWN_PAUSE_S);
    this.restingUntil = Math.max(this.restingUntil, Date.now() + 1000 * seconds);
    item.progress = 0;
    this.move(item, "waiting");
    setTimeout(() => this.pump(), this.restingUntil - Date.now() + 20);
  }
}
