// Getting a picture to look at it: from the file at hand, or from the server where it was asked to keep pictures.

import { request } from "./api.js";
import { thumbnailOf } from "./thumbnails.js";

const kept = new Map();

/** The picture as a file or blob, or null where nobody has it any more. */
export async function pictureBlob(item) {
  if (item.file) return item.file;
  if (!item.record?.picture_kept) return null;
  const { id } = item.record;
  if (!kept.has(id)) {
    const fetched = request(`/results/${id}/picture`).then((response) => response.blob());
    kept.set(id, fetched.catch(() => null));
  }
  return kept.get(id);
}

/** An object URL of a thumbnail of a kept picture, or null. */
export async function keptThumbnail(item) {
  const blob = await pictureBlob(item);
  return blob && thumbnailOf(blob);
}

/** The form by which POST /explain finds the picture, or null where it cannot. */
export function explainForm(item, kind) {
  const form = new FormData();
  form.append("kind", kind);
  if (item.file) form.append("file", item.file, item.file.name);
  else if (item.record.picture_kept) form.append("id", item.record.id);
  else if (/^https?:\/\//i.test(item.record.result.source)) form.append("url", item.record.result.source);
  else return null;
  return form;
}
