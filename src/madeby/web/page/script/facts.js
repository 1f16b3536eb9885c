// The file's own facts, as rows of name and text.

import { fileSize, moment } from "./words.js";

/** Rows about a record's picture, those without a value left out. */
export function factRows({ result, created }) {
  const { picture, model } = result;
  const spent = Object.values(result.timing_ms).reduce((sum, stage) => sum + (stage ?? 0), 0);
  return [
    ["Name", result.source],
    ["Format", picture.format],
    ["Size", `${picture.width} × ${picture.height} pixels`],
    ["File", `${fileSize(picture.bytes)} (${picture.bytes.toLocaleString("en")} bytes)`],
    ["JPEG quality", picture.jpeg_quality === null ? null : `about ${picture.jpeg_quality}${chroma(picture)}`],
    ["SHA-256", picture.sha256],
    ["Perceptual hash", picture.perceptual_hash],
    ["Checked", `${moment(created)}, in ${Math.round(spent)} ms`],
    ["Model", model && `${model.name} ${model.version}`],
  ].filter(([, value]) => value);
}

function chroma(picture) {
  return picture.chroma_subsampling ? `, colour ${picture.chroma_subsampling}` : "";
}
