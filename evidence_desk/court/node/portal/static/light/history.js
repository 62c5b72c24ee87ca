// From the trust root to a header: each block is signed by more than two thirds of exactly the validators that the
// block before announced. No step is skipped.

import { equal, hex } from "./bytes.js";
import { signBytes } from "./block.js";
import { DISPUTED, judge, WRONG } from "./ed25519.js";
import { hold } from "./refusal.js";

// Who signed a block: {signed, disputed, total}.
export async function checkSigners(block, chainId) {
  const { header, validators } = block;
  const height = header.height;
  hold(header.chainId === chainId, "court.chain_id", { found: header.chainId, expected: chainId });
  hold(equal(validators.hash, header.validators_hash), "court.validators_hash", { height });
  const signed = [];
  const disputed = [];
  for (const [place, validator] of validators.validators.entries()) {
    const vote = block.votes[place];
    if (vote === null) continue;
    const judgment = await judge(validator.publicKey, signBytes(block, vote, chainId), vote.signature);
    hold(judgment !== WRONG, "court.commit_signature", { height, address: hex(validator.address) });
    if (judgment === DISPUTED) disputed.push(validator);
    else if (vote.forBlock) signed.push(validator);
  }
  return { signed, disputed, total: validators.total };
}

export function requireMajority(signers, height) {
  const power = signers.signed.reduce((sum, item) => sum + BigInt(item.power), 0n);
  const enough = power * 3n > signers.total * 2n;
  hold(enough, "court.commit_power", { height, power: Number(power), total: Number(signers.total) });
}

// Verify blocks (`history`: those after which the validators change; `targets`: those whose state is to be shown) from
// the nearest trusted header below them. Answers {start, signers by height}.
export async function walk(trust, history, targets) {
  const blocks = [...history, ...targets].sort((one, two) => heightOf(one) - heightOf(two));
  hold(targets.length && [blocks, history, targets].every(rising), "court.history_order");
  for (const step of history) {
    const changes = !equal(step.header.next_validators_hash, step.header.validators_hash);
    const useful = changes && heightOf(step) <= heightOf(targets[targets.length - 1]);
    hold(useful, "court.history_idle", { height: heightOf(step) });
  }
  const start = startOf(trust, heightOf(blocks[0]));
  const signers = new Map();
  let point = start;
  for (const block of blocks) {
    checkBetween(trust, point, block);
    signers.set(heightOf(block), await step(trust, point, block, block === blocks[0]));
    point = after(block.header);
  }
  for (const header of trust.headers) {
    const later = header.height > point.height && header.time.compare(point.time) <= 0;
    hold(!later, "court.trust_contradiction", { height: header.height });
  }
  return { start: start.height, signers };
}

function heightOf(block) {
  return block.header.height;
}

function rising(blocks) {
  return blocks.every((block, at) => at === 0 || heightOf(blocks[at - 1]) < heightOf(block));
}

function startOf(trust, lowest) {
  const below = trust.headers.filter((header) => header.height < lowest);
  if (below.length) return after(below[below.length - 1]);
  return { height: trust.initialHeight - 1, time: trust.genesisTime, next: trust.genesis.hash };
}

function after(header) {
  return { height: header.height, time: header.time, next: header.next_validators_hash };
}

async function step(trust, point, block, first) {
  const { header } = block;
  const height = header.height;
  hold(height > point.height, "court.height_order", { height });
  const later = header.time.compare(point.time);
  // The first block's time is that of genesis.
  hold(later > 0 || (later === 0 && height === trust.initialHeight), "court.time_order", { height });
  const known = trustedHash(trust, height);
  hold(known === null || equal(known, header.hash), "court.trust_contradiction", { height });
  const linked = equal(header.validators_hash, point.next);
  hold(linked || first, "court.validators_unknown", { height });
  const signers = await checkSigners(block, trust.chainId);
  requireMajority(signers, height);
  hold(linked, "court.trust_unreached", { height });
  return signers;
}

export function trustedHash(trust, height) {
  return trust.headers.find((header) => header.height === height)?.hash ?? null;
}

// Trusted headers that the chain passes over must fit between its blocks.
function checkBetween(trust, point, block) {
  for (const header of trust.headers) {
    if (header.height <= point.height || header.height >= heightOf(block)) continue;
    const sameSet = equal(header.validators_hash, point.next) && equal(header.next_validators_hash, point.next);
    const between = point.time.compare(header.time) < 0 && header.time.compare(block.header.time) < 0;
    hold(sameSet && between, "court.trust_contradiction", { height: header.height });
  }
}
