// Byte strings: joining, comparing, hexadecimal, base64 with one spelling.

import { Malformed } from "./refusal.js";

const TEXT = new TextEncoder();
const UTF8 = { fatal: true, ignoreBOM: true };

export const EMPTY = new Uint8Array(0);

export function concat(...parts) {
  let size = 0;
  for (const part of parts) size += part.length;
  const joined = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function equal(first, second) {
  if (first.length !== second.length) return false;
  let differences = 0;
  for (let at = 0; at < first.length; at += 1) differences |= first[at] ^ second[at];
  return differences === 0;
}

// Negative, zero or positive, as unsigned bytes.
export function compare(first, second) {
  const shared = Math.min(first.length, second.length);
  for (let at = 0; at < shared; at += 1) {
    if (first[at] !== second[at]) return first[at] - second[at];
  }
  return first.length - second.length;
}

export function hex(data) {
  let text = "";
  for (const byte of data) text += byte.toString(16).padStart(2, "0");
  return text;
}

export function fromHex(text, size, code = "malformed.digest") {
  if (typeof text !== "string" || text.length !== 2 * size || !/^[0-9a-f]*$/.test(text)) throw new Malformed(code);
  const data = new Uint8Array(size);
  for (let at = 0; at < size; at += 1) data[at] = parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return data;
}

export function utf8(text) {
  return TEXT.encode(text);
}

// Text of UTF-8 bytes, null when they are not.
export function textOf(data) {
  try {
    return new TextDecoder("utf-8", UTF8).decode(data);
  } catch {
    return null;
  }
}

export function base64(data) {
  let binary = "";
  for (let at = 0; at < data.length; at += 8192) binary += String.fromCharCode(...data.subarray(at, at + 8192));
  return btoa(binary);
}

export function fromBase64(text, code = "malformed.court_block") {
  if (typeof text !== "string" || text.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new Malformed(code, { reason: "base64" });
  }
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new Malformed(code, { reason: "base64" });
  }
  const data = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  if (base64(data) !== text) throw new Malformed(code, { reason: "base64" });
  return data;
}

// Big-endian bytes of an integer up to 2^53 − 1.
export function bigEndian(value, size) {
  const data = new Uint8Array(size);
  let rest = value;
  for (let at = size - 1; at >= 0; at -= 1) {
    data[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return data;
}
