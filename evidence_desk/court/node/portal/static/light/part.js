// Court part of a proof (court/1): reading it, strictly.

import { fromBase64 } from "./bytes.js";
import { checkChainId, readLightBlock } from "./block.js";
import { items, members, number, pair } from "./canonical.js";
import { decodeMapProof } from "./map_proof.js";
import { leafHash, MAX_PATH } from "./merkle.js";
import { require_ } from "./refusal.js";
import { decodeDesk, decodeRecord } from "./registry.js";
import { readRoots } from "./state.js";

const MEMBERS = ["v", "chain_id", "record", "index", "path", "anchor", "events", "history", "current"];
const WRONG = "malformed.court_block";

export function readPath(value) {
  return items(value, MAX_PATH).map((node) => fromBase64(node));
}

// A block and its RFC 3161 token, which is not judged in a browser.
export function readTimed(value) {
  const item = members(value, ["block", "token"]);
  const token = item.token === null ? null : fromBase64(item.token);
  require_(token === null || (token.length > 0 && token.length <= 65536), WRONG, { reason: "token" });
  return { block: readLightBlock(item.block), token };
}

export function readHistory(value) {
  return items(value, 256).map(readTimed);
}

function readView(value) {
  const item = members(value, ["header", "roots", "desk"]);
  const desk = members(item.desk, ["entry", "proof"]);
  return {
    header: readTimed(item.header),
    roots: readRoots(item.roots),
    desk: decodeDesk(fromBase64(desk.entry)),
    deskProof: decodeMapProof(fromBase64(desk.proof)),
  };
}

function readEvents(value) {
  const item = members(value, ["leaves", "proof"]);
  const events = items(item.leaves, 64).map((entry) => {
    const [encoded, height] = pair(entry);
    const leaf = fromBase64(encoded);
    require_(leaf.length <= 4096 && number(height) >= 1, WRONG, { reason: "event" });
    return { leaf, leafHash: leafHash(leaf), height };
  });
  return { events, proof: decodeMapProof(fromBase64(item.proof)) };
}

export function readCourtPart(value) {
  const item = members(value, MEMBERS);
  require_(item.v === "court/1", WRONG, { reason: "version" });
  const part = {
    chainId: checkChainId(item.chain_id),
    record: decodeRecord(fromBase64(item.record)),
    index: number(item.index),
    path: readPath(item.path),
    anchor: readView(item.anchor),
    events: readEvents(item.events),
    history: readHistory(item.history),
    current: item.current === null ? null : readView(item.current),
  };
  part.views = part.current === null ? [part.anchor] : [part.anchor, part.current];
  part.newest = part.views[part.views.length - 1];
  return part;
}
