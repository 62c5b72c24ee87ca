// Canonical JSON (RFC 8785 without floats): read, write again, compare. Anything else is refused.

import { textOf, utf8 } from "./bytes.js";
import { Malformed } from "./refusal.js";

const MAX_DEPTH = 32;
const LONE_SURROGATE = /\p{Surrogate}/u;

export function encodeText(value, depth = 0) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Malformed("malformed.json");
    return String(value);
  }
  if (typeof value === "string") {
    if (LONE_SURROGATE.test(value)) throw new Malformed("malformed.json");
    return JSON.stringify(value);
  }
  if (typeof value !== "object" || depth === MAX_DEPTH) throw new Malformed("malformed.json");
  if (Array.isArray(value)) return `[${value.map((item) => encodeText(item, depth + 1)).join(",")}]`;
  // The default order of strings is that of UTF-16 code units, as RFC 8785 §3.2.3 asks.
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${encodeText(name)}:${encodeText(value[name], depth + 1)}`).join(",")}}`;
}

export function encode(value) {
  return utf8(encodeText(value));
}

export function decode(data, limit) {
  if (data.length > limit) throw new Malformed("malformed.too_large", { limit });
  const text = textOf(data);
  if (text === null) throw new Malformed("malformed.json");
  let again;
  let value;
  try {
    value = JSON.parse(text);
    again = encodeText(value);
  } catch {
    throw new Malformed("malformed.json");
  }
  if (again !== text) throw new Malformed("malformed.json_not_canonical");
  return value;
}

// --- members of an object, items of a list, whole numbers -------------------------------------------------------

export function members(value, names, code = "malformed.court_block") {
  const given = value !== null && typeof value === "object" && !Array.isArray(value) ? Object.keys(value) : null;
  if (given === null || given.length !== names.length || !names.every((name) => Object.hasOwn(value, name))) {
    throw new Malformed(code, { reason: "members" });
  }
  return value;
}

export function items(value, limit, code = "malformed.court_block") {
  if (!Array.isArray(value) || value.length > limit) throw new Malformed(code, { reason: "list" });
  return value;
}

export function pair(value, code = "malformed.court_block") {
  if (items(value, 2, code).length !== 2) throw new Malformed(code, { reason: "pair" });
  return value;
}

export function number(value, code = "malformed.court_block") {
  if (!Number.isSafeInteger(value) || value < 0) throw new Malformed(code, { reason: "number" });
  return value;
}

export function text(value, code = "malformed.court_block") {
  if (typeof value !== "string") throw new Malformed(code, { reason: "text" });
  return value;
}
