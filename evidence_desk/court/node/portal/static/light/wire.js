// Protocol Buffers in canonical form: ascending fields, shortest varints, nothing for zero or empty.

import { concat, EMPTY, utf8 } from "./bytes.js";
import { Malformed } from "./refusal.js";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

export function varint(value) {
  const encoded = [];
  let rest = value;
  while (rest > 0x7f) {
    encoded.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  encoded.push(rest);
  return Uint8Array.from(encoded);
}

export function uintField(number, value) {
  return value ? concat(varint(number * 8 + VARINT), varint(value)) : EMPTY;
}

export function sfixed64Field(number, value) {
  if (!value) return EMPTY;
  const body = new DataView(new ArrayBuffer(8));
  body.setBigInt64(0, BigInt(value), true);
  return concat(varint(number * 8 + FIXED64), new Uint8Array(body.buffer));
}

// Present even when empty.
export function messageField(number, body) {
  return concat(varint(number * 8 + BYTES), delimited(body));
}

export function bytesField(number, value) {
  return value.length ? messageField(number, value) : EMPTY;
}

export function textField(number, value) {
  return bytesField(number, utf8(value));
}

export function delimited(body) {
  return concat(varint(body.length), body);
}

// Fields of a message whose numbers ascend, each at most once: {number: integer or bytes}.
export function readFields(data, known) {
  const found = new Map();
  let at = 0;
  let previous = 0;
  const next = () => {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < 8; index += 1) {
      const byte = data[at];
      if (byte === undefined) throw wrong("length");
      at += 1;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        if ((byte === 0 && index) || !Number.isSafeInteger(value)) throw wrong("varint");
        return value;
      }
    }
    throw wrong("varint");
  };
  while (at < data.length) {
    const key = next();
    const number = Math.floor(key / 8);
    if (number <= previous || !known.includes(number)) throw wrong("field order");
    previous = number;
    const kind = key % 8;
    if (kind !== VARINT && kind !== BYTES) throw wrong("wire type");
    const value = next();
    if (kind === VARINT) {
      if (!value) throw wrong("not canonical");
      found.set(number, value);
      continue;
    }
    if (value > data.length - at) throw wrong("length");
    found.set(number, data.subarray(at, at + value));
    at += value;
  }
  return found;
}

function wrong(reason) {
  return new Malformed("malformed.wire", { what: "message", reason });
}
