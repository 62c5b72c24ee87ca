// SHA-256 (FIPS 180-4), in one go and in pieces: files of gigabytes never lie in memory.

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

export class Sha256 {
  constructor() {
    this.state = Int32Array.of(
      0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    );
    this.words = new Int32Array(64);
    this.rest = new Uint8Array(64);
    this.filled = 0;
    this.size = 0;
  }

  update(data) {
    this.size += data.length;
    let at = 0;
    if (this.filled) {
      at = Math.min(64 - this.filled, data.length);
      this.rest.set(data.subarray(0, at), this.filled);
      this.filled += at;
      if (this.filled < 64) return this;
      this.block(this.rest, 0);
      this.filled = 0;
    }
    for (; at + 64 <= data.length; at += 64) this.block(data, at);
    this.rest.set(data.subarray(at), 0);
    this.filled = data.length - at;
    return this;
  }

  digest() {
    const size = this.size;
    const tail = new Uint8Array(this.filled < 56 ? 64 - this.filled : 128 - this.filled);
    tail[0] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(size / 0x20000000));
    view.setUint32(tail.length - 4, (size * 8) >>> 0);
    this.update(tail);
    const out = new DataView(new ArrayBuffer(32));
    this.state.forEach((word, place) => out.setInt32(4 * place, word));
    return new Uint8Array(out.buffer);
  }

  block(data, start) {
    const words = this.words;
    for (let at = 0, from = start; at < 16; at += 1, from += 4) {
      words[at] = (data[from] << 24) | (data[from + 1] << 16) | (data[from + 2] << 8) | data[from + 3];
    }
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
