// Leaf: the public entry of a desk's log. Exactly the members of its type, each in one spelling.

import { concat, fromHex, utf8 } from "./bytes.js";
import { decode, encode, items, members, number, text } from "./canonical.js";
import { leafHash, rootOf } from "./merkle.js";
import { parseMoment } from "./moment.js";
import { require_ } from "./refusal.js";
import { checkOrigin } from "./registry.js";
import { sha256 } from "./sha256.js";

const WRONG = "malformed.leaf";
const FACTS = {
  "log.opened": ["keys", "next"],
  "log.succeeds": ["predecessor"],
  "exhibit.sealed": [],
  "capture.started": ["commitment"],
  "capture.sealed": ["ref"],
  "capture.abandoned": ["ref"],
  "time.attested": ["token_sha256", "gen_time", "tsa", "ranges"],
  "custody.event": ["events"],
  "certificate.issued": ["certificate"],
  "certificate.revoked": ["certificate", "ref"],
  "correction.noted": ["commitment", "ref"],
  "key.rotated": ["keys", "next"],
  heartbeat: [],
};
const SEALED = ["exhibit.sealed", "capture.sealed"];

function require(good, reason) {
  require_(good, WRONG, { reason });
}

function digest(value) {
  return fromHex(value, 32);
}

export function digestPair(value) {
  const { sha256: first, sm3: second } = members(value, ["sha256", "sm3"], WRONG);
  return { sha256: digest(first), sm3: digest(second) };
}

function counted(value) {
  const { root, count } = members(value, ["root", "count"], WRONG);
  require(number(count, WRONG) >= 1, "count");
  return { root: digest(root), count };
}

function readObject(value) {
  if (value !== null && typeof value === "object" && Object.hasOwn(value, "blinded")) {
    return { blinded: digest(members(value, ["blinded"], WRONG).blinded) };
  }
  const { size, sha256: first, sm3: second } = members(value, ["sha256", "sm3", "size"], WRONG);
  return { ...digestPair({ sha256: first, sm3: second }), size: number(size, WRONG) };
}

function readKeys(value) {
  const keys = members(value, ["ed25519", "sm2"], WRONG);
  fromHex(keys.ed25519, 32, WRONG);
  fromHex(keys.sm2, 65, WRONG);
}

function readRanges(value) {
  let previous = -2;
  require(items(value, 4096, WRONG).length > 0, "ranges");
  for (const range of value) {
    const [first, last] = items(range, 2, WRONG);
    require(range.length === 2 && number(first, WRONG) > previous + 1 && first <= number(last, WRONG), "ranges");
    previous = last;
  }
}

const READERS = {
  keys: readKeys,
  next: (value) => Object.values(members(value, ["ed25519", "sm2"], WRONG)).forEach(digestPair),
  predecessor: (value) => {
    const { origin, size, root } = members(value, ["origin", "size", "root"], WRONG);
    checkOrigin(origin);
    number(size, WRONG);
    digest(root);
  },
  commitment: digestPair,
  certificate: digestPair,
  token_sha256: digest,
  tsa: digest,
  gen_time: parseMoment,
  ranges: readRanges,
  events: counted,
  ref: digest,
};

export function parseLeaf(data) {
  const item = decode(data, 4096);
  require(item !== null && typeof item === "object" && item.v === "leaf/1", "version");
  require(typeof item.type === "string" && Object.hasOwn(FACTS, item.type), "type");
  const facts = FACTS[item.type];
  const sealed = SEALED.includes(item.type);
  const objects = Object.hasOwn(item, "objects_root") ? "objects_root" : "objects";
  members(item, ["v", "log", "seq", "type", "at", ...facts, ...(sealed ? ["statement", objects] : [])], WRONG);
  const read = Object.fromEntries(facts.map((name) => [name, READERS[name](item[name])]));
  const leaf = {
    log: checkOrigin(text(item.log, WRONG)),
    seq: number(item.seq, WRONG),
    type: item.type,
    at: parseMoment(item.at),
    ref: read.ref ?? null,
    certificate: read.certificate ?? null,
    statement: null,
    objects: [],
    objectsRoot: null,
  };
  if (sealed) {
    leaf.statement = digestPair(item.statement);
    if (objects === "objects_root") {
      leaf.objectsRoot = counted(item.objects_root);
    } else {
      leaf.objects = items(item.objects, 16, WRONG).map(readObject);
      require(leaf.objects.length > 0, "objects");
    }
  }
  return leaf;
}

// Digest of a file blinded under the statement's salt.
export function blind(digests, salt) {
  return sha256(concat(utf8("ed/object/1"), salt, digests.sha256, digests.sm3));
}

// Root over the canonical entries of files, plain or blinded.
export function objectsRoot(entries) {
  return rootOf(entries.map((entry) => leafHash(encode(entry))));
}
