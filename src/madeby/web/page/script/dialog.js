// Dialogs: the browser's own <dialog>, which keeps focus inside and closes on Esc; focus goes back where it was.

import { freshId, make } from "./dom.js";
import { closeIcon } from "./icons.js";

/**
 * Open a dialog with a heading and content; returns the element, whose `close()` ends it. `refocus` finds a place for
 * the focus where the control that opened the dialog was drawn anew meanwhile.
 */
export function openDialog(title, content, { narrow = false, onClose = null, refocus = null } = {}) {
  const origin = document.activeElement;
  const heading = make("h2", { id: freshId("dialog"), class: "dialog-title", tabindex: "-1" }, title);
  const close = make("button", { class: "icon-button", type: "button", "aria-label": "Close", title: "Close" }, closeIcon());
  const dialog = make(
    "dialog",
    { class: narrow ? "narrow" : "wide", "aria-labelledby": heading.id },
    make("div", { class: "dialog-head" }, heading, close),
    make("div", { class: "dialog-body" }, content),
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the backdrop; everything else lies in a child
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    onClose?.();
    if (origin?.isConnected) origin.focus();
    else refocus?.();
  });
  document.body.append(dialog);
  dialog.showModal();
  heading.focus();
  return dialog;
}
