// The dialog that asks for an API key.

import { make } from "./dom.js";
import { openDialog } from "./dialog.js";

let asking = null;

/** A key, or null if the person would rather not. Requests that fail together ask together. */
export function keyFromPerson(refused) {
  asking ??= ask(refused).finally(() => {
    asking = null;
  });
  return asking;
}

function ask(refused) {
  return new Promise((resolve) => {
    const field = make("input", {
      id: "key", type: "password", autocomplete: "off", required: true, spellcheck: "false", "aria-describedby": "key-why",
      pattern: "[!-~]+", title: "letters, digits and signs, no spaces",
    });
    const why = refused ? "The server did not accept that key." : "This server wants a key.";
    let given = null;
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
      given = field.value.trim();
      dialog.close();
    });
    const dialog = openDialog("A key is needed", form, { narrow: true, onClose: () => resolve(given) });
    field.focus();
  });
}
