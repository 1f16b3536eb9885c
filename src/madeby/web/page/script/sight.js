// Getting a picture to look at it: from the file at hand, or from the server where it was asked to keep pictures.

import { request } from "./api.js";
import { thumbnailOf } from "./thumbnails.js";
import { isAddress } from "./words.js";

const MOST_KEPT = 300;
const kept = new Map(); // record id → object URL of the thumbnail of a kept picture, or null; both promised

/** The picture as a file or blob, or null where nobody has it any more. */
export async function pictureBlob(item) {
  if (item.file) return item.file;
  if (!item.record?.picture_kept) return null;
  try {
    return await (await request(`/results/${item.record.id}/picture`)).blob();
  } catch {
    return null; // deleted since, or refused: the card and its facts stand without it
  }
}

/** An object URL of a thumbnail, or null where the picture is not at hand or cannot be shown. */
export function thumbnailFor(item) {
  if (item.file) return thumbnailOf(item.file);
  if (!item.record?.picture_kept) return null;
  const { id } = item.record;
  if (!kept.has(id)) kept.set(id, pictureBlob(item).then((blob) => blob && thumbnailOf(blob)));
  if (kept.size > MOST_KEPT) forgetOldest();
  return kept.get(id);
}

async function forgetOldest() {
  const [id, thumbnail] = kept.entries().next().value;
  kept.delete(id);
  const url = await thumbnail;
  if (url) URL.revokeObjectURL(url);
}

/** The form by which POST /explain finds the picture, or null where it cannot. */
export function explainForm(item, kind) {
  const form = new FormData();
  form.append("kind", kind);
  form.append("model", item.record.result.model.name); // the one whose verdict the map explains
  if (item.file) form.append("file", item.file, item.file.name);
  else if (item.record.picture_kept) form.append("id", item.record.id);
  else if (isAddress(item.record.result.source)) form.append("url", item.record.result.source);
  else return null;
  return form;
}
