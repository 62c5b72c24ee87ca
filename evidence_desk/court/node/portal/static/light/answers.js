// Answers of a gateway: search/1 (by digest), numbers/1 (by evidence number), leaf/1 (by leaf hash). What they say is
// believed only as far as the validators' signatures carry it.

import { equal, fromBase64, hex } from "./bytes.js";
import { checkChainId, readLightBlock } from "./block.js";
import { decode, items, members, number, pair } from "./canonical.js";
import { verifyCourt } from "./court.js";
import { FAILED, finding, PASSED, UNDETERMINED, worst } from "./findings.js";
import { demoCaveats, judgeHeaders, judgeFreshness, judgeRoots, signersOf } from "./header.js";
import { parseLeaf } from "./leaf.js";
import { decodeMapProof } from "./map_proof.js";
import { leafHash, rootFromInclusion } from "./merkle.js";
import { isSigned, parseCheckpoint } from "./note.js";
import { numberOf } from "./number.js";
import { readCourtPart, readHistory, readPath } from "./part.js";
import { Refusal, require_, Unable } from "./refusal.js";
import { checkEntry, checkLookup, KINDS, lookupKey, MAX_ENTRIES, readRoots } from "./state.js";

export const MAX_AGE = 20 * 60 * 1000;
const MAX_ANSWER = 32 * 1024 * 1024;
const MAX_FOUND = 20;
const WRONG = "malformed.court_block";

// --- found leaves -------------------------------------------------------------------------------------------------

function readFound(value) {
  const item = members(value, ["leaf", "seq", "path", "note", "court"]);
  const found = {
    leaf: fromBase64(item.leaf),
    seq: number(item.seq),
    path: readPath(item.path),
    note: fromBase64(item.note),
    court: readCourtPart(item.court),
  };
  require_(found.leaf.length <= 4096 && found.note.length <= 8192, WRONG, { reason: "found" });
  return found;
}

// {leafHash, number, leaf, findings, caveats, proven, status}: leaf, its place in the log, the desk's checkpoint, the
// network's word.
export async function verifyFound(item, { trust, now }) {
  const digest = leafHash(item.leaf);
  const answer = { leafHash: digest, number: numberOf("ED", digest), leaf: null, findings: [], caveats: [], proven: null };
  const close = () => ({ ...answer, status: worst(answer.findings) });
  let checkpoint;
  let root;
  try {
    answer.leaf = parseLeaf(item.leaf);
    checkpoint = parseCheckpoint(item.note);
    root = rootFromInclusion(item.seq, checkpoint.size, digest, item.path);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    answer.leaf = null;
    answer.findings.push(finding("court.leaf", FAILED, "malformed", { error: error.code }));
    return close();
  }
  const placed = answer.leaf.log === checkpoint.origin && answer.leaf.seq === item.seq;
  if (!placed || !equal(root, checkpoint.root)) {
    answer.leaf = null;
    answer.findings.push(finding("court.leaf", FAILED, "wrong", { seq: item.seq }));
    return close();
  }
  answer.findings.push(finding("court.leaf", PASSED, "right", { seq: item.seq, size: checkpoint.size }));
  const court = await verifyCourt(item.court, { trust, checkpoint, leafHash: digest, now });
  answer.findings.push(...court.findings);
  answer.caveats.push(...court.caveats);
  if (court.proven !== null) {
    answer.proven = court.proven;
    const note = await judgeNote(checkpoint, court.proven.noteKeys);
    answer.findings.push(note);
    if (note.status !== PASSED) answer.proven = null;
  }
  return close();
}

async function judgeNote(checkpoint, keys) {
  const { origin } = checkpoint;
  try {
    const signed = await isSigned(checkpoint, keys);
    return finding("court.note", signed ? PASSED : FAILED, signed ? "right" : "wrong", { origin });
  } catch (error) {
    if (!(error instanceof Unable)) throw error;
    return { check: "court.note", status: UNDETERMINED, code: error.code, parameters: {} };
  }
}

// --- by number, by leaf -------------------------------------------------------------------------------------------

// Leaves that have the number. None proves nothing: numbers are an index without proofs.
export async function verifyNumbers(data, asked, context) {
  const item = members(decode(data, MAX_ANSWER), ["v", "number", "found"]);
  require_(item.v === "numbers/1" && item.number === asked, WRONG, { reason: "number" });
  const found = [];
  for (const given of items(item.found, MAX_FOUND).map(readFound)) {
    const answer = await verifyFound(given, context);
    require_(answer.number === asked, WRONG, { reason: "number" });
    found.push(answer);
  }
  return found;
}

export async function verifyLeaf(data, asked, context) {
  const item = members(decode(data, MAX_ANSWER), ["v", "found"]);
  require_(item.v === "leaf/1", WRONG, { reason: "version" });
  const answer = await verifyFound(readFound(item.found), context);
  require_(equal(answer.leafHash, asked), WRONG, { reason: "leaf" });
  return answer;
}

// --- by digest ----------------------------------------------------------------------------------------------------

const SEARCH = ["v", "chain_id", "roots", "block", "history", "digest", "answers", "found"];

function readLookup(value) {
  const item = members(value, ["key", "entries", "proof"]);
  const entries = items(item.entries, MAX_ENTRIES).map((given) => {
    const [hash, height] = pair(given);
    return checkEntry({ leafHash: fromBase64(hash), height: number(height) });
  });
  return { key: fromBase64(item.key), entries, proof: decodeMapProof(fromBase64(item.proof)) };
}

function readSearch(data) {
  const item = members(decode(data, MAX_ANSWER), SEARCH);
  require_(item.v === "search/1", WRONG, { reason: "version" });
  return {
    chainId: checkChainId(item.chain_id),
    roots: readRoots(item.roots),
    block: readLightBlock(item.block),
    history: readHistory(item.history),
    digest: fromBase64(item.digest),
    lookups: items(item.answers, KINDS.length).map(readLookup),
    found: items(item.found, MAX_FOUND).map(readFound),
  };
}

// {status, findings, lookups: one a kind {kind, found, entries}, found, caveats, height, time, blockHash, signers}.
export async function verifySearch(data, asked, { trust, now }) {
  const search = readSearch(data);
  require_(equal(search.digest, asked), WRONG, { reason: "digest" });
  const { header } = search.block;
  const answer = {
    chainId: search.chainId, findings: [], lookups: [], found: [], caveats: demoCaveats(search.chainId), signers: [],
    height: header.height - 1, time: header.time.milliseconds, blockHash: header.lastBlockId.hash, headerHash: header.hash,
  };
  const carries = await judgeStanding(search, answer, trust, now);
  if (carries) answer.lookups = KINDS.map((kind, at) => judgeLookup(search, kind, at, asked, now));
  const standing = worst(answer.findings);
  for (const lookup of answer.lookups) {
    if (standing !== PASSED || lookup.found.status !== PASSED) lookup.entries = null;
  }
  answer.status = worst([...answer.findings, ...answer.lookups.map((lookup) => lookup.found)]);
  const known = new Set(answer.lookups.flatMap((lookup) => (lookup.entries ?? []).map((entry) => hex(entry.leafHash))));
  for (const given of search.found) {
    if (known.has(hex(leafHash(given.leaf)))) answer.found.push(await verifyFound(given, { trust, now }));
  }
  return answer;
}

async function judgeStanding(search, answer, trust, now) {
  const { header } = search.block;
  if (search.chainId !== trust.chainId || header.chainId !== trust.chainId) {
    answer.findings.push(finding("court.chain", FAILED, "other", { chain: trust.chainId }));
    return false;
  }
  answer.findings.push(finding("court.chain", PASSED, "right", { chain: trust.chainId }));
  const { found, walked } = await judgeHeaders(trust, search.history, [search.block], now);
  answer.findings.push(found);
  if (found.status !== PASSED) return false;
  answer.signers = signersOf(trust, search.block, walked);
  answer.findings.push(judgeFreshness(trust, [...search.history, { block: search.block, token: null }], now));
  const against = judgeRoots(search.roots, header);
  answer.findings.push(against ?? finding("court.state", PASSED, "right", { height: header.height - 1 }));
  return against === null;
}

function judgeLookup(search, kind, at, asked, now) {
  const { header } = search.block;
  const facts = { height: header.height - 1 };
  const given = search.lookups[at];
  if (!given) return { kind, found: finding("court.lookup", FAILED, "incomplete", facts), entries: null };
  const key = lookupKey(kind, asked);
  const { entries } = given;
  if (!equal(given.key, key)) return { kind, found: finding("court.lookup", FAILED, "other", facts), entries: null };
  try {
    checkLookup(search.roots, key, entries, given.proof);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { kind, found: finding("court.lookup", FAILED, "wrong", facts), entries: null };
  }
  const time = header.time.milliseconds;
  facts.time = new Date(time).toISOString();
  if (entries.length) {
    return { kind, found: finding("court.lookup", PASSED, "present", { ...facts, count: entries.length }), entries };
  }
  const stale = now - time > MAX_AGE;
  return { kind, found: finding("court.lookup", stale ? UNDETERMINED : PASSED, stale ? "stale" : "absent", facts), entries };
}
