// Judge the court part of a leaf, step by step (docs/spec/court-protocol.md): chain, headers, fresh or timestamped headers, rules,
// state, checkpoint, desk, events. A step that has nothing sound to stand on is not taken.

import { equal } from "./bytes.js";
import { FAILED, finding, PASSED, UNDETERMINED } from "./findings.js";
import { demoCaveats, judgeHeaders, judgeFreshness, judgeRoots, signersOf } from "./header.js";
import { parseLeaf } from "./leaf.js";
import { Refusal } from "./refusal.js";
import { ACTIVE, CLOSED, familyOf, REVOKED } from "./registry.js";
import { checkDesk, checkLookup, checkRecord, eventsKey } from "./state.js";

// {chainId, findings, caveats, proven: null or what is established}.
export async function verifyCourt(part, { trust, checkpoint, leafHash, now }) {
  const caveats = demoCaveats(part.chainId);
  const answer = { chainId: part.chainId, findings: [], caveats, proven: null };
  const named = [part.chainId, ...part.views.map((view) => view.header.block.header.chainId)];
  const sameChain = named.every((chain) => chain === trust.chainId);
  const chain = { chain: trust.chainId };
  answer.findings.push(finding("court.chain", sameChain ? PASSED : FAILED, sameChain ? "right" : "other", chain));
  const targets = part.views.map((view) => view.header.block);
  const { found, walked } = await judgeHeaders(trust, part.history, targets, now);
  answer.findings.push(found);
  if (walked === null || !sameChain) return answer;
  const headers = [...part.history, ...part.views.map((view) => view.header)];
  answer.findings.push(judgeFreshness(trust, headers, now));
  answer.findings.push(...judgeState(part, checkpoint, leafHash));
  const doubted = ["court.desk.suspect", "court.events.revoked"];
  if (answer.findings.every((item) => item.status === PASSED || doubted.includes(item.code))) {
    answer.proven = establish(part, trust, walked);
    for (const event of answer.proven.events.filter((item) => item.type === "correction.noted")) {
      caveats.push({ code: "court.corrected", parameters: { height: event.height } });
    }
  }
  for (const [height, signers] of walked.signers) {
    const count = signers.disputed.length;
    if (count) caveats.push({ code: "court.signature_disputed", parameters: { height, count } });
  }
  return answer;
}

function establish(part, trust, walked) {
  const block = part.anchor.header.block;
  return {
    height: part.record.height,
    blockHash: block.header.lastBlockId.hash,
    headerHash: block.header.hash,
    anchoredAt: block.header.time.milliseconds,
    asOf: part.newest.header.block.header.height - 1,
    asOfTime: part.newest.header.block.header.time.milliseconds,
    desk: part.newest.desk,
    noteKeys: part.anchor.desk,
    events: part.events.events.map((event) => ({ ...parseLeaf(event.leaf), height: event.height, hash: event.leafHash })),
    signers: signersOf(trust, block, walked),
  };
}

function judgeState(part, checkpoint, leafHash) {
  for (const view of part.views) {
    const against = judgeRoots(view.roots, view.header.block.header);
    if (against !== null) return [against];
  }
  const height = part.newest.header.block.header.height - 1;
  return [
    finding("court.state", PASSED, "right", { height }),
    judgeCheckpoint(part, checkpoint),
    judgeDesk(part, checkpoint.origin),
    judgeEvents(part, checkpoint.origin, leafHash),
  ];
}

function holds(check) {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

function judgeCheckpoint(part, checkpoint) {
  const { record, anchor } = part;
  const { header } = anchor.header.block;
  const facts = { height: record.height };
  const same = record.origin === checkpoint.origin && record.size === checkpoint.size;
  if (!same || !equal(record.root, checkpoint.root)) return finding("court.checkpoint", FAILED, "other", facts);
  if (header.height !== record.height + 1 || !header.lastBlockId.complete) {
    return finding("court.checkpoint", FAILED, "height", facts);
  }
  const listed = holds(() => checkRecord(anchor.roots, record, part.index, part.path));
  if (!listed) return finding("court.checkpoint", FAILED, "wrong", facts);
  return finding("court.checkpoint", PASSED, "right", { ...facts, size: record.size });
}

function judgeDesk(part, origin) {
  const { record } = part;
  for (const { roots, desk, deskProof } of part.views) {
    if (!holds(() => checkDesk(roots, origin, desk, deskProof))) return finding("court.desk", FAILED, "wrong", { origin });
    if (contradicts(desk, record)) return finding("court.desk", FAILED, "contradiction", { origin });
  }
  const entry = part.newest.desk;
  const height = entry.statusSince;
  if (entry.status === CLOSED) return finding("court.desk", PASSED, "closed", { origin, height });
  if (entry.status === REVOKED) {
    const facts = { origin, height, suspect: entry.suspectFrom };
    if (record.height < entry.suspectFrom) return finding("court.desk", PASSED, "revoked_later", facts);
    return finding("court.desk", UNDETERMINED, "suspect", facts);
  }
  return finding("court.desk", PASSED, "active", { origin, height: part.newest.header.block.header.height - 1 });
}

// Whether a desk's entry and an accepted checkpoint cannot both be true.
function contradicts(desk, record) {
  return (
    desk.registered > record.height ||
    desk.size < record.size ||
    (desk.size === record.size && !equal(desk.root, record.root)) ||
    (desk.status !== ACTIVE && desk.statusSince < record.height)
  );
}

function judgeEvents(part, origin, leafHash) {
  const { events, proof } = part.events;
  let leaves = [];
  const complete = holds(() => {
    checkLookup(part.newest.roots, eventsKey(origin, leafHash), events, proof);
    leaves = events.map((event) => parseLeaf(event.leaf));
  });
  if (!complete) return finding("court.events", FAILED, "wrong");
  const own = (leaf) => leaf.ref !== null && equal(leaf.ref, leafHash) && familyOf(leaf.log) === familyOf(origin);
  if (!leaves.every(own)) return finding("court.events", FAILED, "other");
  const revoked = leaves.filter((leaf) => leaf.type === "certificate.revoked").length;
  const height = part.newest.header.block.header.height - 1;
  if (revoked) return finding("court.events", UNDETERMINED, "revoked", { height, count: revoked });
  if (leaves.length) return finding("court.events", PASSED, "some", { height, count: leaves.length });
  return finding("court.events", PASSED, "none", { height });
}
