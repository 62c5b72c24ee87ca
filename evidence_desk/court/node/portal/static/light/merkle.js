// RFC 6962 Merkle trees: roots and inclusion proofs.

import { bigEndian, concat, equal } from "./bytes.js";
import { Malformed, Untrue } from "./refusal.js";
import { sha256 } from "./sha256.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
export const MAX_PATH = 64;
export const EMPTY_ROOT = sha256(new Uint8Array(0));

export function leafHash(leaf) {
  return sha256(concat(LEAF, leaf));
}

export function nodeHash(left, right) {
  return sha256(concat(NODE, left, right));
}

// Root over leaf hashes (§2.1).
export function rootOf(digests) {
  if (!digests.length) return EMPTY_ROOT;
  if (digests.length === 1) return digests[0];
  let half = 1;
  while (half * 2 < digests.length) half *= 2;
  return nodeHash(rootOf(digests.slice(0, half)), rootOf(digests.slice(half)));
}

// Root that an inclusion proof leads to (RFC 9162 §2.1.3.2).
export function rootFromInclusion(index, size, digest, path) {
  const refuse = () => new Malformed("malformed.inclusion_proof", { index, size });
  if (!(index >= 0 && index < size) || path.length > MAX_PATH) throw refuse();
  if ([digest, ...path].some((node) => node.length !== 32)) throw refuse();
  let first = BigInt(index);
  let last = BigInt(size) - 1n;
  let root = digest;
  for (const node of path) {
    if (last === 0n) throw refuse();
    if (first & 1n || first === last) {
      root = nodeHash(node, root);
      while (!(first & 1n) && first) {
        first >>= 1n;
        last >>= 1n;
      }
    } else {
      root = nodeHash(root, node);
    }
    first >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) throw refuse();
  return root;
}

// A list bound to its size: size (8 bytes) ‖ root.
export class ListRoot {
  constructor(size, root) {
    if (root.length !== 32 || (size === 0 && !equal(root, EMPTY_ROOT))) {
      throw new Malformed("malformed.court_state", { reason: "list" });
    }
    this.size = size;
    this.root = root;
  }

  static of(entries) {
    return new ListRoot(entries.length, rootOf(entries.map(leafHash)));
  }

  encode() {
    return concat(bigEndian(this.size, 8), this.root);
  }

  check(entry, index, path) {
    let root = null;
    try {
      root = rootFromInclusion(index, this.size, leafHash(entry), path);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
    }
    if (root === null || !equal(root, this.root)) throw new Untrue("court.inclusion", { index });
  }
}
