// Reading the entries of an evidence package (stored, no compression, no comment), without loading its files.

import { textOf } from "./light/bytes.js";
import { Malformed } from "./light/refusal.js";

const MAX_ENTRIES = 100000;
const MAX_DIRECTORY = 64 * 1024 * 1024;

function refuse(reason) {
  return new Malformed("portal.answer.package.malformed", { reason });
}

async function view(file, start, size) {
  if (start < 0 || size < 0 || start + size > file.size) throw refuse("size");
  return new DataView(await file.slice(start, start + size).arrayBuffer());
}

// Map name → Blob (a slice of the file).
export async function readZip(file) {
  const tail = await view(file, file.size - 22, 22);
  if (tail.getUint32(0, true) !== 0x06054b50 || tail.getUint16(20, true) !== 0) throw refuse("end");
  let [count, size, offset] = [tail.getUint16(10, true), tail.getUint32(12, true), tail.getUint32(16, true)];
  if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
    const locator = await view(file, file.size - 42, 20);
    if (locator.getUint32(0, true) !== 0x07064b50) throw refuse("zip64");
    const end = await view(file, safe(locator.getBigUint64(8, true)), 56);
    if (end.getUint32(0, true) !== 0x06064b50) throw refuse("zip64");
    [count, size, offset] = [32, 40, 48].map((at) => safe(end.getBigUint64(at, true)));
  }
  if (count > MAX_ENTRIES || size > MAX_DIRECTORY) throw refuse("entries");
  const directory = await view(file, offset, size);
  const entries = new Map();
  let at = 0;
  for (let number = 0; number < count; number += 1) {
    const entry = readEntry(directory, at);
    if (entries.has(entry.name)) throw refuse("duplicate");
    entries.set(entry.name, await contentOf(file, entry));
    at = entry.next;
  }
  if (at !== size) throw refuse("directory");
  return entries;
}

function safe(value) {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse("zip64");
  return Number(value);
}

function readEntry(directory, at) {
  if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== 0x02014b50) throw refuse("directory");
  if (directory.getUint16(at + 10, true) !== 0 || directory.getUint16(at + 8, true) & ~0x800) throw refuse("compressed");
  const [nameSize, extraSize, commentSize] = [28, 30, 32].map((place) => directory.getUint16(at + place, true));
  const next = at + 46 + nameSize + extraSize + commentSize;
  if (next > directory.byteLength) throw refuse("directory");
  const name = textOf(new Uint8Array(directory.buffer, directory.byteOffset + at + 46, nameSize));
  if (name === null) throw refuse("name");
  let [packed, size, offset] = [20, 24, 42].map((place) => directory.getUint32(at + place, true));
  let extra = at + 46 + nameSize;
  if (extraSize) {
    if (extraSize < 4 || directory.getUint16(extra, true) !== 1) throw refuse("extra");
    extra += 4;
    const wide = () => {
      if (extra + 8 > at + 46 + nameSize + extraSize) throw refuse("extra");
      extra += 8;
      return safe(directory.getBigUint64(extra - 8, true));
    };
    if (size === 0xffffffff) size = wide();
    if (packed === 0xffffffff) packed = wide();
    if (offset === 0xffffffff) offset = wide();
  }
  if (packed !== size) throw refuse("compressed");
  return { name, size, offset, next };
}

async function contentOf(file, { name, size, offset }) {
  const local = await view(file, offset, 30);
  if (local.getUint32(0, true) !== 0x04034b50 || local.getUint16(8, true) !== 0) throw refuse("entry");
  const start = offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (start + size > file.size) throw refuse("entry");
  const given = new Uint8Array(await file.slice(offset + 30, offset + 30 + local.getUint16(26, true)).arrayBuffer());
  if (textOf(given) !== name) throw refuse("name");
  return file.slice(start, start + size);
}
