// Times of blocks: UTC with nanoseconds, nine digits; times of leaves: milliseconds.

import { concat } from "./bytes.js";
import { Malformed } from "./refusal.js";
import { uintField } from "./wire.js";

const BLOCK = /^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\.([0-9]{9})Z$/;
const LEAF = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

export class BlockTime {
  constructor(seconds, nanos) {
    this.seconds = seconds;
    this.nanos = nanos;
  }

  static parse(value) {
    const match = typeof value === "string" ? BLOCK.exec(value) : null;
    const whole = match && Date.parse(`${match[1]}Z`);
    // The platform's calendar reads 31 April or 24:00 as another day: only what it writes again is a time.
    if (!match || Number.isNaN(whole) || whole < 0 || new Date(whole).toISOString().slice(0, 19) !== match[1]) {
      throw new Malformed("malformed.time", { what: "block" });
    }
    return new BlockTime(whole / 1000, Number(match[2]));
  }

  encode() {
    return concat(uintField(1, this.seconds), uintField(2, this.nanos));
  }

  // Negative when earlier than `other`.
  compare(other) {
    return this.seconds - other.seconds || this.nanos - other.nanos;
  }

  // Milliseconds since 1970, with fraction.
  get milliseconds() {
    return this.seconds * 1000 + this.nanos / 1e6;
  }
}

// Milliseconds since 1970 of a leaf's time.
export function parseMoment(value) {
  const at = typeof value === "string" && LEAF.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(at) || new Date(at).toISOString() !== value) throw new Malformed("malformed.time", { what: "leaf" });
  return at;
}
