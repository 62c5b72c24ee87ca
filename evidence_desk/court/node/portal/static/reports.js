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

// How a leaf fits both digests and the size of a file; failed: it is not this file. `both`: whether both digests lead to
// the leaf, null while one of the answers is too old to tell.
export function fitsFile(leaf, digests, both) {
  const same = (pair) => equal(pair.sha256, digests.sha256) && equal(pair.sm3, digests.sm3);
  const plain = leaf.objects.filter((object) => object.sha256);
  if (plain.some((object) => same(object) && object.size === digests.size)) return finding("portal.pair", PASSED, "right");
  if (leaf.certificate !== null && same(leaf.certificate)) return finding("portal.pair", PASSED, "certificate");
  if (leaf.objectsRoot !== null && both) return finding("portal.pair", PASSED, "listed");
  if (leaf.objectsRoot !== null && both === null) return finding("portal.pair", UNDETERMINED, "late");
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

// What records say together: the first anchored of those that passed gives the time. A record that failed says nothing,
// neither for nor against the others: any desk can register a digest that it saw on chain.
export function fromRecords(records, code, facts = {}) {
  const kept = records.filter((record) => record.status !== FAILED);
  const report = { ...decide(kept.length ? kept : records, code, facts), records };
  report.notes.push(...discounted(records, kept));
  return report;
}

function discounted(records, kept) {
  const failed = records.length - kept.length;
  return failed && kept.length ? [["portal.note.failed", { count: failed }]] : [];
}

function decide(records, code, facts) {
  const revoked = records.filter(isRevoked).length;
  const passed = records.filter((record) => record.status === PASSED && record.proven);
  if (!passed.length) {
    return revoked ? told("undetermined", "portal.answer.revoked") : refused(records.flatMap((record) => record.findings));
  }
  const first = earliest(passed);
  const report = told("present", code, { height: first.height, time: first.anchoredAt, asof: first.asOf, ...facts });
  if (revoked) report.notes.push(["portal.note.revoked", { count: revoked }]);
  return report;
}

function earliest(records) {
  return records.reduce((one, two) => (two.proven.height < one.proven.height ? two : one)).proven;
}

// --- answers to a digest, to a file ---------------------------------------------------------------------------------

function asOf(search) {
  return { height: search.height, time: search.time };
}

function lookupsOf(search) {
  return search.lookups.map((lookup) => ({ kind: lookup.kind, ...lookup.found }));
}

function leavesOf(search) {
  const entries = search.lookups.flatMap(({ kind, entries }) => (entries ?? []).map((entry) => ({ ...entry, kind })));
  return new Map(entries.map((entry) => [hex(entry.leafHash), entry]));
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

// Of an answer whose header or look-up is false nothing is used.
export function falsehood(...searches) {
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
  const entries = leavesOf(search);
  const records = search.found.map((found) => recordOf(found, now, found.leaf && fitsDigest(found.leaf, asked)));
  let report = falsehood(search);
  if (report === null && entries.size) {
    report = present(records, entries, "portal.answer.present.digest", asOf(search));
  } else if (report === null) {
    report = unsound(search) ?? told("absent", "portal.answer.absent.digest", asOf(search));
  }
  report.lookups = lookupsOf(search);
  report.notes.push("portal.note.digest_only");
  return frame(report, search);
}

function isOfCertificates(entries) {
  return ![...entries.values()].some((entry) => FILE_KINDS.includes(entry.kind));
}

// What the proven `entries` say, with those of them that are shown (`records`).
function present(records, entries, code, standing) {
  const shown = new Map(records.map((record) => [hex(record.leafHash), record]));
  const ranked = [...entries].sort((one, two) => one[1].height - two[1].height);
  const counted = ranked.filter(([hash]) => shown.get(hash)?.status !== FAILED);
  const hidden = counted.filter(([hash]) => !shown.has(hash)).length;
  const facts = { count: counted.length || entries.size };
  const report = { ...decideEntries(records, { shown, counted, hidden, entries, code, standing, facts }), records };
  const kept = records.filter((record) => record.status !== FAILED);
  report.notes.push(...discounted(records, kept));
  if (hidden) report.notes.push(["portal.note.more", { shown: records.length, count: entries.size }]);
  // The time that is told is the earliest only when everything earlier was seen.
  const seen = (record) => record !== undefined && (record.status === PASSED || isRevoked(record));
  const unseen = counted.find(([hash]) => !seen(shown.get(hash)));
  if (report.facts.time !== undefined && kept.length && unseen && unseen[1].height < report.facts.height) {
    report.notes.push(["portal.note.earlier", { height: unseen[1].height }]);
  }
  return report;
}

function decideEntries(records, { shown, counted, hidden, entries, code, standing, facts }) {
  const kept = records.filter((record) => record.status !== FAILED);
  if (!kept.length && hidden) return told("present", "portal.answer.present.bare", { ...standing, ...facts });
  if (!kept.length) return refused(records.flatMap((record) => record.findings));
  const [hash, { height }] = counted[0];
  const eldest = shown.get(hash);
  let report = decide(kept, code, facts);
  // A certificate is what the desk says that registered it first: a copy by another desk must neither outlive its
  // revocation nor revoke it.
  if (isOfCertificates(entries)) {
    report = eldest ? decide([eldest], code, facts) : refused([finding("portal.shown", UNDETERMINED, "eldest", { height })]);
  }
  if (report.outcome === "present" || !eldest || !isUntimed(eldest)) return report;
  return told("present", "portal.answer.present.untimed", { ...facts, height, asof: standing.height });
}

// Whether nothing but the time of anchoring is open: the newest state holds the entry all the same.
function isUntimed(record) {
  return record.findings.every((item) => item.status === PASSED || item.check === "court.token");
}

// Two answers, by SHA-256 and by SM3: what only one of them knows is not this file.
export function fromFile(first, second, digests, now) {
  const [one, two] = [leavesOf(first), leavesOf(second)];
  const entries = new Map([...one, ...two]);
  const together = new Map([...entries.keys()].map((hash) => [hash, isBoth(one.get(hash), two.get(hash), first, second)]));
  const found = new Map([...first.found, ...second.found].map((item) => [hex(item.leafHash), item]));
  const records = [];
  for (const [hash, item] of found) {
    const fits = item.leaf && fitsFile(item.leaf, digests, together.get(hash));
    if (fits?.status === FAILED) together.set(hash, false);
    else records.push(recordOf(item, now, fits));
  }
  const own = new Map([...entries].filter(([hash]) => together.get(hash) !== false));
  const kept = records.filter((record) => own.has(hex(record.leafHash)));
  const standing = first.height < second.height ? first : second;
  let report = falsehood(first, second);
  if (report === null && own.size) {
    const code = isOfCertificates(own) ? "portal.answer.certificate" : "portal.answer.present";
    report = present(kept, own, code, asOf(standing));
  } else if (report === null) {
    report = unsound(first) ?? unsound(second) ?? absent(standing, entries.size, now);
  }
  const others = entries.size - own.size;
  if (others && report.outcome === "present") report.notes.push(["portal.note.half", { count: others }]);
  report.lookups = [...lookupsOf(first), ...lookupsOf(second)].filter((item, at) => relevant(item, at));
  return frame(report, first);
}

// Whether both digests lead to a leaf; null when it came on chain after the state that does not know it.
function isBoth(one, two, first, second) {
  if (one && two) return true;
  const [entry, other] = one ? [one, second] : [two, first];
  return entry.height > other.height ? null : false;
}

function absent(search, halves, now) {
  if (now - search.time > MAX_AGE) return told("undetermined", "portal.answer.stale", asOf(search));
  if (halves) return told("absent", "portal.answer.absent.half", { ...asOf(search), count: halves });
  return told("absent", "portal.answer.absent", asOf(search));
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
