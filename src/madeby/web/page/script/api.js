// The REST API of the server this page came from. No other host is ever asked for anything.


const ROOT = "/api/v1";
const KEY = "madeby-key";
const MOST_PAUSES = 3; // for a busy server, before the person is told

/** The server's refusal, or its absence (`status` 0). `retryAfter` is in seconds where the server named it. */
export class ApiError extends Error {
  constructor(status, message, retryAfter = null) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether the server only asks for patience. */
  get busy() {
    return this.status === 429 || this.status === 503;
  }
}

/** One request; the response if it succeeded. A missing key is asked for, a busy server waited for. Throws ApiError. */
export async function request(path, { method = "GET", body = null, signal = null } = {}) {
  const json = body !== null && !(body instanceof FormData);
  let key;
  const send = () => {
    key = storedKey();
    const headers = authorisation(key);
    if (json) headers["Content-Type"] = "application/json";
    return fetch(ROOT + path, { method, headers, body: json ? JSON.stringify(body) : body, signal });
  };
  let response;
  try {
    response = await send();
    for (let refused = 0; ; response = await send()) {
      if (response.status === 401 && (await askForKey(key))) continue;
      if (response.status !== 429 || (refused += 1) > MOST_PAUSES) break;
      await pause(secondsOf(response.headers.get("Retry-After")) ?? refused);
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (!response.ok) throw refusal(response.status, await response.text(), response.headers.get("Retry-After"));
  return response;
}

/** One request whose answer is JSON. */
export async function requestJson(path, options) {
  return (await request(path, options)).json();
}

/**
 * Send a form and watch it go: `onProgress` gets the share sent, 0 to 1. Only XMLHttpRequest tells that.
 * Throws ApiError, or AbortError when `signal` aborts.
 */
export async function upload(path, form, { signal, onProgress }) {
  let key;
  const send = () => {
    key = storedKey();
    return uploadOnce(path, form, authorisation(key), signal, onProgress);
  };
  let answer = await send();
  while (answer.status === 401 && (await askForKey(key))) answer = await send();
  if (answer.status === 0) throw unreachable();
  if (answer.status >= 400) throw refusal(answer.status, answer.text, answer.retryAfter);
  return JSON.parse(answer.text);
}

function uploadOnce(path, form, headers, signal, onProgress) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    const abort = () => {
      reject(new DOMException("Cancelled", "AbortError"));
      sending.abort(); // after the rejection: it fires loadend at once
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    sending.open("POST", ROOT + path);
    for (const [name, value] of Object.entries(headers)) sending.setRequestHeader(name, value);
    sending.upload.addEventListener("progress", (event) => onProgress(event.loaded / (event.total || 1)));
    sending.addEventListener("loadend", () => {
      signal.removeEventListener("abort", abort);
      const { status, responseText: text } = sending;
      resolve({ status, text, retryAfter: status ? sending.getResponseHeader("Retry-After") : null });
    });
    sending.send(form);
  });
}

/** The API key, where the server wants one; it lasts as long as this tab and goes to this server only. */
function storedKey() {
  return sessionStorage.getItem(KEY);
}

function authorisation(key) {
  return key === null ? {} : { Authorization: `Bearer ${key}` };
}

/** After a refusal of the key that was used: whether there is another one to try by now. */
async function askForKey(used) {
  if (storedKey() !== used) return true; // another request has asked meanwhile
  const { keyFromPerson } = await import("./key.js");
  const key = await keyFromPerson(used !== null);
  if (key !== null) sessionStorage.setItem(KEY, key);
  return key !== null;
}

function unreachable() {
  return new ApiError(0, "The server cannot be reached. Check the connection and try again.");
}

function refusal(status, text, retryAfter) {
  let message = `The server answered with an error (${status}).`;
  try {
    message = JSON.parse(text).error.message;
  } catch {
    // Not one of our own errors, as from a proxy in between: the status has to do.
  }
  return new ApiError(status, message, secondsOf(retryAfter));
}

function secondsOf(retryAfter) {
  const seconds = Number.parseFloat(retryAfter);
  return Number.isFinite(seconds) ? seconds : null;
}

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}
