// A model's card, from the few Markdown forms that cards use to elements. All text is set as text.

import { make } from "./dom.js";

/** Elements of a card: headings, lists, tables and paragraphs; anything else stays the text it is. */
export function cardElements(markdown) {
  const lines = markdown.replaceAll(/<!--[\s\S]*?-->/g, "").split("\n");
  const elements = [];
  while (lines.length) {
    const block = takeBlock(lines);
    if (block) elements.push(block);
  }
  return elements;
}

const KINDS = [
  [/^#{1,6} /, headingOf],
  [/^\s*[-*] /, (lines) => make("ul", {}, lines.map((line) => make("li", {}, ...inline(line.replace(/^\s*[-*] /, "")))))],
  [/^\|/, tableOf],
];

function takeBlock(lines) {
  if (lines[0].trim() === "") return void lines.shift();
  const [form, build] = KINDS.find(([candidate]) => candidate.test(lines[0])) ?? [null, paragraphOf];
  const fits = (line) => (form ? form.test(line) : line.trim() !== "" && !KINDS.some(([other]) => other.test(line)));
  const count = build === headingOf ? 1 : lines.findIndex((line) => !fits(line));
  return build(lines.splice(0, count === -1 ? lines.length : count));
}

function headingOf([line]) {
  const [, marks, text] = /^(#{1,6}) (.*)$/.exec(line);
  return make(marks.length === 1 ? "h3" : "h4", {}, ...inline(text));
}

function paragraphOf(lines) {
  return make("p", {}, ...inline(lines.join(" ")));
}

function tableOf(lines) {
  const rows = lines.map((line) => line.replace(/^\||\|\s*$/g, "").split("|").map((cell) => cell.trim()));
  const [head, ...body] = rows.filter((row) => !row.every((cell) => /^:?-+:?$/.test(cell)));
  const table = make(
    "table",
    {},
    make("thead", {}, make("tr", {}, head.map((cell) => make("th", { scope: "col" }, ...inline(cell))))),
    make("tbody", {}, body.map((row) => make("tr", {}, row.map((cell) => make("td", {}, ...inline(cell)))))),
  );
  return make("div", { class: "table-frame", tabindex: "0", role: "region", "aria-label": `Table: ${head.join(", ")}` }, table);
}

/** `code` and **emphasis** as elements, all else as text. */
function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (/^`.+`$/.test(part)) return make("code", {}, part.slice(1, -1));
    if (/^\*\*.+\*\*$/.test(part)) return make("strong", {}, part.slice(2, -2));
    return part;
  });
}
