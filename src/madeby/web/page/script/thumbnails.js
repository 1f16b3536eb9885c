// Small pictures of the files at hand, made here: the server is not asked for them.

import { make } from "./dom.js";
import { shortName } from "./words.js";

const LONGEST_SIDE = 480;
const made = new WeakMap();
let turn = Promise.resolve();

/** An object URL of a thumbnail of a file, or null where the browser cannot show the format. One at a time. */
export function thumbnailOf(file) {
  if (!made.has(file)) {
    const done = turn.then(() => shrink(file)).catch(() => null);
    made.set(file, done);
    turn = done;
  }
  return made.get(file);
}

/** Give back the memory of a file's thumbnail, if there is one. */
export async function forgetThumbnail(file) {
  const url = await made.get(file);
  if (url) URL.revokeObjectURL(url);
}

async function shrink(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = make("canvas", {
    width: Math.max(1, Math.round(bitmap.width * scale)), height: Math.max(1, Math.round(bitmap.height * scale)),
  });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/webp", 0.85));
  return URL.createObjectURL(blob);
}

/** What stands in for a picture that cannot be shown: its format, and why. */
export function placeholder(format, why) {
  return make("div", { class: "placeholder" }, make("span", { class: "format" }, format), make("span", {}, why));
}

/** A file's format, as its name has it. */
export function formatByName(name) {
  const ending = /\.([A-Za-z0-9]{2,5})$/.exec(shortName(name));
  return ending ? ending[1].toUpperCase() : "Picture";
}
