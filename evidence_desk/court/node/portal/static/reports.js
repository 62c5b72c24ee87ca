// From verified answers to what the page shows: {outcome, code, facts, reason, asked, notes, findings, lookups, records,
// signers, caveats}. Outcomes: present, absent, failed, undetermined. Nothing is present that did not pass.

import { equal, fromHex, hex } from "./light/bytes.js";
import { MAX_AGE } from "./light/answers.js";
import { FAILED, finding, PASSED, UNDETERMINED, worst } from "./light/findings.js";

const FILE_KINDS = [1, 2, 3];

// --- records ------------------------------------------------------------------------------------------------------

// A found leaf as a record: its findings, with how recent its events are and, where given, how it fits what was asked.
export function recordOf(found, now, extra = null) {
  const findings = [...found.findings];
  if (extra) findings.unshift(extra);
  const { proven } = found;
  if (proven && now - proven.asOfTime > MAX_AGE) {
    const time = new Date(proven.asOfTime).toISOString();
    findings.push(finding("portal.recent", UNDETERMINED, "stale", { height: proven.asOf, time }));
  }
  return { ...found, findings, status: worst(findings) };
}

export function isRevoked(record) {
  return record.findings.some((item) => item.code === "court.events.revoked");
}

// How a leaf fits both digests and the size of a file.
export function fitsFile(leaf, digests, both) {
  const same = (pair) => equal(pair.sha256, digests.sha256) && equal(pair.sm3, digests.sm3);
  const plain = leaf.objects.filter((object) => object.sha256);
  if (plain.some((object) => same(object) && object.size === digests.size)) return finding("portal.pair", PASSED, "right");
  if (leaf.certificate !== null && same(leaf.certificate)) return finding("portal.pair", PASSED, "certificate");
  if (leaf.objectsRoot !== null && both) return finding("portal.pair", PASSED, "listed");
  return finding("portal.pair", FAILED, "wrong");
}

function fitsDigest(leaf, digest) {
  const given = leaf.objects.flatMap((object) => [object.sha256, object.sm3, object.blinded]);
  if (leaf.certificate !== null) given.push(leaf.certificate.sha256, leaf.certificate.sm3);
  if (given.some((item) => item && equal(item, digest))) return finding("portal.object", PASSED, "digest");
  if (leaf.objectsRoot !== null) return finding("portal.object", PASSED, "listed");
  return finding("portal.object", FAILED, "wrong");
}

// --- the one sentence ---------------------------------------------------------------------------------------------

export function told(outcome, code, facts = {}) {
  return { outcome, code, facts, asked: [], notes: [], findings: [], lookups: [], records: [], signers: [], caveats: [] };
}

// The worst finding is the reason.
export function refused(findings) {
  const failed = findings.find((item) => item.status === FAILED);
  const first = failed ?? findings.find((item) => item.status === UNDETERMINED);
  const outcome = failed ? "failed" : "undetermined";
  return { ...told(outcome, `portal.answer.${outcome}`), reason: first ?? null };
}

// What records say together: the first anchored of those that passed gives the time.
export function fromRecords(records, code, facts = {}) {
  const all = records.flatMap((record) => record.findings);
  const passed = records.filter((record) => record.status === PASSED && record.proven);
  if (all.some((item) => item.status === FAILED)) return { ...refused(all), records };
  if (!passed.length) {
    const base = records.some(isRevoked) ? told("undetermined", "portal.answer.revoked") : refused(all);
    return { ...base, records };
  }
  const first = passed.reduce((one, two) => (two.proven.height < one.proven.height ? two : one)).proven;
  const known = { height: first.height, time: first.anchoredAt, asof: first.asOf, ...facts };
  return { ...told("present", code, known), records };
}

// --- answers to a digest, to a file ---------------------------------------------------------------------------------

function asOf(search) {
  return { height: search.height, time: search.time };
}

function lookupsOf(search) {
  return search.lookups.map((lookup) => ({ kind: lookup.kind, ...lookup.found }));
}

function leavesOf(search) {
  return new Map(search.lookups.flatMap((lookup) => (lookup.entries ?? []).map((entry) => [hex(entry.leafHash), lookup.kind])));
}

// Why a search is no proof of anything; null when it is sound.
function unsound(search) {
  const all = [...search.findings, ...search.lookups.map((lookup) => lookup.found)];
  const doubts = all.filter((item) => item.status !== PASSED);
  if (!doubts.length) return null;
  if (doubts.every((item) => item.code === "court.lookup.stale")) {
    return told("undetermined", "portal.answer.stale", asOf(search));
  }
  return refused(doubts);
}

// An answer of which any part is false is not used in any other part.
function falsehood(...searches) {
  const all = searches.flatMap((search) => [...search.findings, ...search.lookups.map((lookup) => lookup.found)]);
  return all.some((item) => item.status === FAILED) ? refused(all) : null;
}

function frame(report, search) {
  report.findings = search.findings;
  report.signers = search.signers;
  report.caveats = search.caveats;
  return report;
}

export function fromDigest(search, asked, now) {
  const known = leavesOf(search);
  const records = search.found.map((found) => recordOf(found, now, found.leaf && fitsDigest(found.leaf, asked)));
  let report = falsehood(search);
  if (report === null && known.size) {
    report = present(records, known.size, "portal.answer.present.digest", asOf(search));
  } else if (report === null) {
    report = unsound(search) ?? told("absent", "portal.answer.absent.digest", asOf(search));
  }
  report.lookups = lookupsOf(search);
  report.notes.push("portal.note.digest_only");
  return frame(report, search);
}

function present(records, count, code, standing) {
  let report = fromRecords(records, code, { count });
  if (!records.length) report = told("present", "portal.answer.present.bare", { ...standing, count });
  if (records.length && records.length < count) report.notes.push(["portal.note.more", { count: count - records.length }]);
  return report;
}

// Two answers, by SHA-256 and by SM3: what one of them alone knows is not this file.
export function fromFile(first, second, digests, now) {
  const [one, two] = [leavesOf(first), leavesOf(second)];
  const count = new Set([...one.keys(), ...two.keys()]).size;
  const found = new Map([...first.found, ...second.found].map((item) => [hex(item.leafHash), item]));
  const records = [...found].map(([hash, item]) => {
    const both = one.has(hash) && two.has(hash);
    return recordOf(item, now, item.leaf && fitsFile(item.leaf, digests, both));
  });
  const kinds = new Set([...one.values(), ...two.values()]);
  const certificate = kinds.size > 0 && ![...kinds].some((kind) => FILE_KINDS.includes(kind));
  let report = falsehood(first, second);
  if (report === null && count) {
    report = present(records, count, certificate ? "portal.answer.certificate" : "portal.answer.present", asOf(first));
    if (!records.length && one.size !== two.size) report = refused([finding("portal.pair", FAILED, "wrong")]);
  } else if (report === null) {
    report = unsound(first) ?? unsound(second) ?? told("absent", "portal.answer.absent", asOf(first));
  }
  report.lookups = [...lookupsOf(first), ...lookupsOf(second)].filter((item, at) => relevant(item, at));
  return frame(report, first);
}

// Of the answer by SHA-256 the kinds that are SHA-256, of the one by SM3 the others; but whatever is present or refused.
function relevant(item, at) {
  const bySm3 = at >= 5;
  const own = bySm3 ? [2, 5] : [1, 3, 4];
  return own.includes(item.kind) || item.code === "court.lookup.present" || item.status === FAILED;
}

// --- what was asked -------------------------------------------------------------------------------------------------

export function digestRows(digests) {
  return [
    ["SHA-256", hex(digests.sha256)],
    ["SM3", hex(digests.sm3)],
  ];
}

const LEAF = /(?:^|\s)leaf=([0-9a-f]{64})(?:\s|$)/;
const CHAIN = /(?:^|\s)chain=([!-~]{1,50})(?:\s|$)/;

// What a typed or scanned text asks for: {leaf, chain}, {digest} or {text}. The host of an address counts for nothing:
// a look-alike portal must not win.
export function readQuestion(typed) {
  let text = typed.trim().slice(0, 400);
  try {
    text = new URL(text).searchParams.get("q") ?? text;
  } catch {
    // No address.
  }
  const leaf = LEAF.exec(text);
  if (leaf) return { leaf: fromHex(leaf[1], 32), chain: CHAIN.exec(text)?.[1] ?? null };
  const compact = text.toLowerCase().replace(/[\s:]/g, "").replace(/^(?:sha-?256|sm3)/, "");
  if (/^[0-9a-f]{64}$/.test(compact)) return { digest: fromHex(compact, 32) };
  return { text };
}
