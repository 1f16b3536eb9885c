// Where the page begins.

import { showModels, startChecking } from "./checking.js";
import { startComparison } from "./comparison.js";
import { the } from "./dom.js";
import { startTheme } from "./theme.js";

const VIEWS = ["check", "history"];
let showHistory = null;

startTheme(the("theme"));
startChecking();
startComparison();
addEventListener("hashchange", () => showView(true));
showView(false);
showDefaultModel();

/** Show the view that the address names; any other fragment (the skip link's) changes nothing. */
async function showView(moved) {
  const wanted = location.hash.slice(1) || "check";
  if (!VIEWS.includes(wanted)) return;
  for (const name of VIEWS) {
    the(`${name}-view`).hidden = name !== wanted;
    const link = document.querySelector(`nav a[href="/#${name}"]`);
    if (name === wanted) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (wanted === "history") {
    showHistory ??= (await import("./history.js")).startHistory();
    showHistory();
  }
  if (moved) the(`${wanted}-title`).focus();
}

async function showDefaultModel() {
  try {
    const model = await showModels();
    if (model) the("model-name").textContent = `Model in use: ${model.name} ${model.version}`;
  } catch (error) {
    the("server-problem").textContent = error.message;
  }
}
