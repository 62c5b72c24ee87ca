// What SHA-256 and SM3 share (FIPS 180-4 §5.1.1, GB/T 32905-2016 §5.2): blocks of 64 bytes, padding, eight words of state.

export class MerkleDamgard {
  constructor(state, words) {
    this.state = Int32Array.from(state);
    this.words = new Int32Array(words);
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

  // The first 16 words of a block, big-endian.
  load(data, start) {
    const words = this.words;
    for (let at = 0, from = start; at < 16; at += 1, from += 4) {
      words[at] = (data[from] << 24) | (data[from + 1] << 16) | (data[from + 2] << 8) | data[from + 3];
    }
    return words;
  }
}
