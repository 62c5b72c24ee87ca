// SHA-256 (FIPS 180-4), in one go and in pieces: files of gigabytes never lie in memory.

import { MerkleDamgard } from "./merkle_damgard.js";

const K = constants();

function constants() {
  // First 32 bits of the fractional parts of the cube roots of the first 64 primes (§4.2.2), by exact integers.
  const found = new Int32Array(64);
  for (let prime = 2, count = 0; count < 64; prime += 1) {
    let composite = false;
    for (let factor = 2; factor * factor <= prime; factor += 1) composite ||= prime % factor === 0;
    if (!composite) {
      found[count] = Number(BigInt.asIntN(32, cubeRoot(BigInt(prime) << 96n)));
      count += 1;
    }
  }
  return found;
}

function cubeRoot(value) {
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle * middle * middle <= value) low = middle;
    else high = middle;
  }
  return low;
}

export class Sha256 extends MerkleDamgard {
  constructor() {
    super([
      0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ], 64);
  }

  block(data, start) {
    const words = this.load(data, start);
    for (let at = 16; at < 64; at += 1) {
      const near = words[at - 2];
      const far = words[at - 15];
      const one = ((near >>> 17) | (near << 15)) ^ ((near >>> 19) | (near << 13)) ^ (near >>> 10);
      const zero = ((far >>> 7) | (far << 25)) ^ ((far >>> 18) | (far << 14)) ^ (far >>> 3);
      words[at] = (one + words[at - 7] + zero + words[at - 16]) | 0;
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
    for (let at = 0; at < 64; at += 1) {
      const upper = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const first = (h + upper + ((e & f) ^ (~e & g)) + K[at] + words[at]) | 0;
      const lower = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const second = (lower + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + second) | 0;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
  }
}

export function sha256(data) {
  return new Sha256().update(data).digest();
}
