// Presence and absence in a sparse Merkle map (ICS-23 SmtSpec; form in docs/spec/court-protocol.md).

import { concat, equal } from "./bytes.js";
import { Malformed, Untrue } from "./refusal.js";
import { sha256 } from "./sha256.js";

const EMPTY_NODE = new Uint8Array(32);
const PRESENT = 1;
const OTHER = 3;
const MAX_DEPTH = 256;

export function decodeMapProof(data) {
  const refuse = (reason) => new Malformed("malformed.map_proof", { reason });
  if (data.length < 3 || data.length > 3 + 32 + 32 * MAX_DEPTH + 64) throw refuse("size");
  const kind = data[0];
  if (kind < PRESENT || kind > OTHER) throw refuse("kind");
  const depth = data[1] * 256 + data[2];
  const start = 3 + Math.ceil(depth / 8);
  if (depth > MAX_DEPTH || data.length < start) throw refuse("depth");
  const bits = data.subarray(3, start);
  let nodes = data.subarray(start);
  let other = null;
  if (kind === OTHER) {
    if (nodes.length < 64) throw refuse("depth");
    other = { path: nodes.slice(-64, -32), value: nodes.slice(-32) };
    nodes = nodes.subarray(0, -64);
  }
  if (nodes.length % 32) throw refuse("depth");
  const filled = (level) => (bits[level >> 3] & (0x80 >> (level & 7))) !== 0;
  const siblings = [];
  let at = 0;
  for (let level = 0; level < depth; level += 1) {
    siblings.push(filled(level) ? nodes.slice(at, at + 32) : EMPTY_NODE);
    if (filled(level)) at += 32;
  }
  const emptyGiven = siblings.some((node, level) => filled(level) && (node.length !== 32 || equal(node, EMPTY_NODE)));
  if (at !== nodes.length || emptyGiven) throw refuse("siblings");
  for (let level = depth; level < 8 * bits.length; level += 1) if (filled(level)) throw refuse("form");
  // A lone leaf moves up, so a leaf has a sibling; an empty end beside an empty one would be empty itself. At depth 0 the
  // whole map is empty.
  if (depth && !filled(depth - 1)) throw refuse("form");
  return { kind, siblings, other };
}

// Returns when the map of `root` holds `value` at `key`; nothing at all when `value` is null.
export function checkMap(proof, root, key, value) {
  const refuse = (reason) => new Untrue("court.map_proof", { reason });
  const path = sha256(key);
  if ((value === null) === (proof.kind === PRESENT)) throw refuse("kind");
  let node;
  if (value !== null) {
    if (!value.length) throw refuse("empty value");
    node = leafOf(path, sha256(value));
  } else if (proof.other === null) {
    node = EMPTY_NODE;
  } else {
    if (!wouldMeet(path, proof.other.path, proof.siblings.length)) throw refuse("other leaf");
    node = leafOf(proof.other.path, proof.other.value);
  }
  for (let level = proof.siblings.length - 1; level >= 0; level -= 1) {
    const sibling = proof.siblings[level];
    node = bitOf(path, level) ? nodeOf(sibling, node) : nodeOf(node, sibling);
  }
  if (!equal(node, root)) throw refuse("root");
}

// Two different paths that share their first `depth` bits.
function wouldMeet(path, other, depth) {
  if (equal(path, other)) return false;
  for (let level = 0; level < depth; level += 1) if (bitOf(path, level) !== bitOf(other, level)) return false;
  return true;
}

function bitOf(path, level) {
  return (path[level >> 3] >> (7 - (level & 7))) & 1;
}

function leafOf(path, valueDigest) {
  return sha256(concat(Uint8Array.of(0), path, valueDigest));
}

function nodeOf(left, right) {
  return sha256(concat(Uint8Array.of(1), left, right));
}
