// Every way a picture comes in: dropped or picked files and folders, pasted pictures and addresses, an address typed.

import { the } from "./dom.js";
import { isAddress } from "./words.js";

const PICTURE_NAMES = /\.(jpe?g|jpe|jfif|png|apng|webp|gif|bmp|dib|tiff?|avif|heic|heif|hif)$/i;

/** Wire all of them; `onPick` gets `{files: [{file, name}], urls: [text], leftOut: count}`. */
export function startPicking(onPick) {
  startDropping(onPick);
  startPasting(onPick);
  for (const [button, input] of [["pick-files", "files"], ["pick-folder", "folder"]]) {
    the(button).addEventListener("click", () => the(input).click());
    the(input).addEventListener("change", () => {
      const found = [...the(input).files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
      onPick(input === "folder" ? onlyPictures(found) : { files: found, urls: [], leftOut: 0 });
      the(input).value = ""; // so that the same file can be picked again
    });
  }
  the("url").addEventListener("input", () => {
    the("url-problem").textContent = "";
    the("url").removeAttribute("aria-invalid");
  });
  the("url-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const urls = addressesIn(the("url").value);
    the("url-problem").textContent = urls.length ? "" : "That is no web address; it should begin with https://";
    if (urls.length === 0) {
      the("url").setAttribute("aria-invalid", "true");
      return the("url").focus();
    }
    the("url").value = "";
    onPick({ files: [], urls, leftOut: 0 });
  });
}

function startDropping(onPick) {
  let depth = 0; // dragenter and dragleave come for every element passed
  const hover = (change) => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle("dragging", depth > 0);
  };
  addEventListener("dragenter", () => hover(1));
  addEventListener("dragleave", () => hover(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", async (event) => {
    event.preventDefault();
    hover(-depth);
    if (document.querySelector("dialog[open]")) return;
    onPick(await unpack(event.dataTransfer));
  });
}

function startPasting(onPick) {
  addEventListener("paste", (event) => {
    if (event.target.closest("input, textarea, dialog")) return;
    const files = [...event.clipboardData.files].map((file) => ({ file, name: file.name || "pasted picture" }));
    const urls = files.length ? [] : addressesIn(event.clipboardData.getData("text/plain"));
    if (files.length + urls.length > 0) {
      event.preventDefault();
      onPick({ files, urls, leftOut: 0 });
    }
  });
}

/** What was dropped: files as they are, folders searched for pictures, links as addresses. */
async function unpack(transfer) {
  // Entries and strings must be taken before the first wait: the transfer is emptied after the event.
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.());
  const loose = [...transfer.files];
  const urls = addressesIn(transfer.getData("text/uri-list"));
  if (loose.length === 0) return { files: [], urls, leftOut: 0 };
  if (!entries.some((entry) => entry?.isDirectory)) {
    return { files: loose.map((file) => ({ file, name: file.name })), urls: [], leftOut: 0 };
  }
  const all = { files: [], urls: [], leftOut: 0 };
  for (const entry of entries) {
    const found = [];
    await collect(entry, found);
    const kept = entry.isDirectory ? onlyPictures(found) : { files: found, leftOut: 0 };
    all.files.push(...kept.files);
    all.leftOut += kept.leftOut;
  }
  return all;
}

async function collect(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, name: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = entry.createReader();
  const next = () => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  const children = [];
  for (let batch = await next(); batch.length; batch = await next()) children.push(...batch); // at most 100 at a time
  children.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  for (const child of children) await collect(child, found);
}

/** Of a folder's files only the pictures: nobody means the rest when dropping a folder. */
function onlyPictures(found) {
  const files = found.filter(({ file, name }) => file.type.startsWith("image/") || PICTURE_NAMES.test(name));
  return { files, urls: [], leftOut: found.length - files.length };
}

function addressesIn(text) {
  return [...new Set(text.split(/\s+/).filter(isAddress))];
}
