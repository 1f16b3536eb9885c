// The API key, where the server wants one: asked for in a dialog, kept for this tab's session, nowhere else.

import { make } from "./dom.js";
import { openDialog } from "./dialog.js";

const NAME = "madeby-key";
let asking = null;

/** The key of this session, or null. */
export function storedKey() {
  return sessionStorage.getItem(NAME);
}

/** Ask for a key; false if the person would rather not. Requests that fail together ask together. */
export function askForKey(refused) {
  asking ??= ask(refused).finally(() => {
    asking = null;
  });
  return asking;
}

function ask(refused) {
  return new Promise((resolve) => {
    const field = make("input", {
      id: "key", type: "password", autocomplete: "off", required: true, spellcheck: "false", "aria-describedby": "key-why",
    });
    const why = refused ? "The server did not accept that key." : "This server wants a key.";
    let given = false;
    const form = make(
      "form",
      { class: "key-form" },
      make("p", { id: "key-why" }, `${why} It is kept until this tab is closed, and sent to this server only.`),
      make("label", { for: "key" }, "API key"),
      field,
      make("p", { class: "buttons" }, make("button", { class: "primary", type: "submit" }, "Use this key")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(NAME, field.value.trim());
      given = true;
      dialog.close();
    });
    const dialog = openDialog("A key is needed", form, { narrow: true, onClose: () => resolve(given) });
    field.focus();
  });
}
