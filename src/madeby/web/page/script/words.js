// How results are put into words.

export const VERDICTS = {
  ai: "AI-made",
  human: "Human-made",
  uncertain: "Uncertain",
  error: "Not read",
};

export const SIGNALS = {
  detector: "Pixels",
  c2pa: "Content Credentials (C2PA)",
  iptc: "IPTC and XMP labels",
  generator: "Generator’s own metadata",
  camera: "Camera metadata (EXIF)",
  watermark: "Watermark",
  container: "File structure",
};

export const STRENGTHS = { conclusive: "conclusive", strong: "strong", weak: "weak", none: "no weight" };

export const LABELS = { ai: "AI-made", human: "made by a human" };

/** The verdict of a result, or `error`. */
export function verdictOf(result) {
  return result.status === "error" ? "error" : result.verdict;
}

/** A calibrated probability as a count of 100 pictures. */
export function inHundred(probability) {
  const count = Math.round(100 * probability);
  if (probability > 0.99) return "more than 99";
  if (probability < 0.01) return "fewer than 1";
  return `about ${count}`;
}

/**
 * What the probability says, and under which conditions. Calibration weighs both labels alike on the model's own
 * validation pictures: it holds for pictures like those, half of them AI-made, and for no others.
 */
export function meaningOf(result) {
  if (result.probability === null) return "The pixels were not examined.";
  if (isOutside(result)) {
    return "This is not a kind of picture the model was validated on, so its figure carries no such meaning here.";
  }
  return sentence(
    `${inHundred(result.probability)} of 100 pictures that score like this one are AI-made, ` +
      "if half of all pictures are and all are like those the model was validated on",
  );
}

/** Whether the result says that the picture lies outside what the model was validated on. */
export function isOutside(result) {
  return result.reason.includes("outside what the detector was validated on");
}

/** A probability as a percentage, never rounded to a certainty. */
export function percent(probability) {
  if (probability > 0.99 && probability < 1) return "> 99 %";
  if (probability < 0.01 && probability > 0) return "< 1 %";
  return `${Math.round(100 * probability)} %`;
}

/** A clause as a sentence; a name or an address at its beginning stays as it is. */
export function sentence(text) {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  const begun = /^[a-z]+[,;:]?(\s|$)/.test(trimmed) ? trimmed[0].toUpperCase() + trimmed.slice(1) : trimmed;
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** A number of bytes, in decimal units. */
export function fileSize(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** "1 picture", "5 pictures". */
export function pictures(count) {
  return `${count.toLocaleString("en")} ${count === 1 ? "picture" : "pictures"}`;
}

/** Whether a text is a web address. */
export function isAddress(text) {
  return URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
}

/** The last part of a path or address: what people call a file. */
export function shortName(source) {
  const path = isAddress(source) ? source.split(/[?#]/)[0] : source;
  return path.split(/[\\/]/).filter(Boolean).pop() ?? source;
}

/** A time as the reader's own calendar has it. */
export function moment(text) {
  return new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
