// Judge headers: the network they belong to, who signed them, whether their validators' keys were still guarded.

import { equal } from "./bytes.js";
import { FAILED, finding, PASSED, refusal, UNDETERMINED } from "./findings.js";
import { trustedHash, walk } from "./history.js";
import { Refusal } from "./refusal.js";
import { APP_VERSION, sameRoots } from "./state.js";

const DRIFT = 10 * 1000;
const OFFICE_DAYS = 30;
const DAY = 24 * 3600 * 1000;

// Walk from the trust root over `history` to `targets`; the finding speaks of the first target.
export async function judgeHeaders(trust, history, targets, now) {
  let walked;
  try {
    walked = await walk(trust, history.map((timed) => timed.block), targets);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { found: refusal("court.header", error), walked: null };
  }
  const newest = targets[targets.length - 1].header;
  if (newest.time.milliseconds > now + DRIFT) {
    const time = new Date(newest.time.milliseconds).toISOString();
    return { found: finding("court.header", UNDETERMINED, "future", { time }), walked };
  }
  const { header, validators } = targets[0];
  const facts = {
    height: header.height,
    signed: walked.signers.get(header.height).signed.length,
    validators: validators.validators.length,
    changes: history.length,
    start: walked.start,
  };
  return { found: finding("court.header", PASSED, "right", facts), walked };
}

// Timestamps are not judged in a browser: a header needs none when it is a trusted one, or is itself at most 30 days old
// (ADR 0009). A fresh header beside an old one does not vouch for it: leaked keys could sign both.
export function judgeFreshness(trust, blocks, now) {
  let relied = 0;
  let doubt = null;
  for (const { block, token } of blocks) {
    const { header } = block;
    const known = trustedHash(trust, header.height);
    if (token === null && known !== null && equal(known, header.hash)) continue;
    if (now - header.time.milliseconds <= OFFICE_DAYS * DAY) relied += 1;
    else doubt ??= finding("court.token", UNDETERMINED, token ? "unchecked" : "missing", { height: header.height });
  }
  if (doubt !== null) return doubt;
  if (relied) return finding("court.token", PASSED, "fresh", { count: relied, days: OFFICE_DAYS });
  return finding("court.token", PASSED, "timely", { count: blocks.length });
}

// Rules and sub-roots under a header: a finding against them, or null.
export function judgeRoots(roots, header) {
  if (header.appVersion !== APP_VERSION) {
    return finding("court.rules", UNDETERMINED, "unknown", { version: header.appVersion });
  }
  return sameRoots(roots, header) ? null : finding("court.state", FAILED, "wrong", { height: header.height });
}

export function demoCaveats(chainId) {
  return chainId.startsWith("demo-") ? [{ code: "demo.chain", parameters: { chain: chainId } }] : [];
}

// Validators of a block with their institutions and whether they signed it, the greatest power first.
export function signersOf(trust, block, walked) {
  const { signed } = walked.signers.get(block.header.height);
  return block.validators.validators.map((item) => {
    const address = [...item.address].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const named = trust.institutions.get(address) ?? "";
    return { address, institution: named, power: item.power, signed: signed.includes(item) };
  });
}
