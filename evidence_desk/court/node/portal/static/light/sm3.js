// SM3 (GB/T 32905-2016), in one go and in pieces.

import { MerkleDamgard } from "./merkle_damgard.js";

const T = new Int32Array(64);
for (let at = 0; at < 64; at += 1) {
  const constant = at < 16 ? 0x79cc4519 : 0x7a879d8a;
  const turn = at % 32;
  T[at] = turn ? (constant << turn) | (constant >>> (32 - turn)) : constant;
}

export class Sm3 extends MerkleDamgard {
  constructor() {
    super([
      0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
    ], 68);
  }

  block(data, start) {
    const words = this.load(data, start);
    for (let at = 16; at < 68; at += 1) {
      const third = words[at - 3];
      const mixed = words[at - 16] ^ words[at - 9] ^ ((third << 15) | (third >>> 17));
      const spread = mixed ^ ((mixed << 15) | (mixed >>> 17)) ^ ((mixed << 23) | (mixed >>> 9));
      const old = words[at - 13];
      words[at] = spread ^ ((old << 7) | (old >>> 25)) ^ words[at - 6];
    }
    const state = this.state;
    let a = state[0];
    let b = state[1];
    let c = state[2];
    let d = state[3];
    let e = state[4];
    let f = state[5];
    let g = state[6];
    let h = state[7];
    for (let at = 0; at < 16; at += 1) {
      const turned = (a << 12) | (a >>> 20);
      const sum = (turned + e + T[at]) | 0;
      const one = (sum << 7) | (sum >>> 25);
      const first = ((a ^ b ^ c) + d + (one ^ turned) + (words[at] ^ words[at + 4])) | 0;
      const second = ((e ^ f ^ g) + h + one + words[at]) | 0;
      d = c;
      c = (b << 9) | (b >>> 23);
      b = a;
      a = first;
      h = g;
      g = (f << 19) | (f >>> 13);
      f = e;
      e = second ^ ((second << 9) | (second >>> 23)) ^ ((second << 17) | (second >>> 15));
    }
    for (let at = 16; at < 64; at += 1) {
      const turned = (a << 12) | (a >>> 20);
      const sum = (turned + e + T[at]) | 0;
      const one = (sum << 7) | (sum >>> 25);
      const first = (((a & b) | (a & c) | (b & c)) + d + (one ^ turned) + (words[at] ^ words[at + 4])) | 0;
      const second = (((e & f) | (~e & g)) + h + one + words[at]) | 0;
      d = c;
      c = (b << 9) | (b >>> 23);
      b = a;
      a = first;
      h = g;
      g = (f << 19) | (f >>> 13);
      f = e;
      e = second ^ ((second << 9) | (second >>> 23)) ^ ((second << 17) | (second >>> 15));
    }
    state[0] ^= a;
    state[1] ^= b;
    state[2] ^= c;
    state[3] ^= d;
    state[4] ^= e;
    state[5] ^= f;
    state[6] ^= g;
    state[7] ^= h;
  }
}

export function sm3(data) {
  return new Sm3().update(data).digest();
}
