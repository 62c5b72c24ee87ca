// The state that `app_hash` commits to: four named sub-roots, and what is proven under them.

import { bigEndian, concat, equal, fromBase64, utf8 } from "./bytes.js";
import { members, number } from "./canonical.js";
import { checkMap } from "./map_proof.js";
import { leafHash, ListRoot, rootOf } from "./merkle.js";
import { hold, require_ } from "./refusal.js";
import { familyOf } from "./registry.js";
import { sha256 } from "./sha256.js";

export const APP_VERSION = 1;
export const MAX_ENTRIES = 10000;
export const KINDS = [1, 2, 3, 4, 5];
const EVENTS = 6;

export function readRoots(value) {
  const item = members(value, ["checkpoints", "desks", "governance", "lookup"]);
  const list = members(item.checkpoints, ["size", "root"]);
  const roots = { checkpoints: new ListRoot(number(list.size), fromBase64(list.root)) };
  for (const name of ["desks", "governance", "lookup"]) {
    roots[name] = fromBase64(item[name]);
    require_(roots[name].length === 32, "malformed.court_state", { reason: "root" });
  }
  const named = [
    ["checkpoints", roots.checkpoints.encode()],
    ["desks", roots.desks],
    ["governance", roots.governance],
    ["lookup", roots.lookup],
  ];
  roots.appHash = rootOf(named.map(([name, root]) => leafHash(concat(utf8(`${name}\n`), root))));
  return roots;
}

export function checkRecord(roots, record, index, path) {
  roots.checkpoints.check(record.encoded, index, path);
}

export function checkDesk(roots, origin, desk, proof) {
  hold(desk.origin === origin, "court.map_proof", { reason: "origin" });
  checkMap(proof, roots.desks, utf8(origin), desk.encoded);
}

export function lookupKey(kind, digest) {
  require_(KINDS.includes(kind) && digest.length === 32, "malformed.court_state", { reason: "look-up key" });
  return concat(Uint8Array.of(kind), digest);
}

// Bound to the desk: only it, before or after a restore, can add events about its leaves.
export function eventsKey(origin, about) {
  return concat(Uint8Array.of(EVENTS), sha256(utf8(familyOf(origin))), about);
}

// `entries` ({leafHash, height}, oldest first) are all occurrences under `key`; none proves absence.
export function checkLookup(roots, key, entries, proof) {
  require_(entries.length <= MAX_ENTRIES, "malformed.court_state", { reason: "too many entries" });
  const list = entries.map((entry) => concat(entry.leafHash, bigEndian(entry.height, 8)));
  checkMap(proof, roots.lookup, key, entries.length ? ListRoot.of(list).encode() : null);
}

export function checkEntry(entry) {
  const good = entry.leafHash.length === 32 && entry.height >= 1;
  require_(good, "malformed.court_state", { reason: "look-up entry" });
  return entry;
}

export function sameRoots(roots, header) {
  return equal(roots.appHash, header.app_hash);
}
