// Headers, commits and validator sets of CometBFT v0.38: their canonical JSON, their hashes, what validators signed.

import { compare, concat, fromBase64 } from "./bytes.js";
import { items, members, number, pair, text } from "./canonical.js";
import { leafHash, rootOf } from "./merkle.js";
import { BlockTime } from "./moment.js";
import { require_ } from "./refusal.js";
import { sha256 } from "./sha256.js";
import { bytesField, delimited, messageField, sfixed64Field, textField, uintField } from "./wire.js";

const PROTOCOL = 11;
const PRECOMMIT = 2;
const MAX_VALIDATORS = 300;
const MAX_ROUND = 2 ** 31 - 1;
const MAX_PARTS = 2 ** 32 - 1;
const FIXED_HASHES = ["validators_hash", "next_validators_hash", "consensus_hash"];
const HASHES = ["last_commit_hash", "data_hash", ...FIXED_HASHES, "app_hash", "last_results_hash", "evidence_hash"];
const HEADER = [
  "block_version", "app_version", "chain_id", "height", "time", "last_block_id", "proposer_address", ...HASHES,
];

function require(good, reason) {
  require_(good, "malformed.court_block", { reason });
}

export function checkChainId(value) {
  require(typeof value === "string" && /^[!-~]{1,50}$/.test(value), "chain ID");
  return value;
}

function readBlockId(hash, parts, partsHash) {
  const named = { hash, parts: number(parts), partsHash: fromBase64(partsHash) };
  require([0, 32].includes(hash.length), "block ID");
  require([0, 32].includes(named.partsHash.length) && named.parts <= MAX_PARTS, "part set");
  named.complete = Boolean(hash.length && named.parts && named.partsHash.length);
  const set = concat(uintField(1, named.parts), bytesField(2, named.partsHash));
  named.encoded = concat(bytesField(1, hash), messageField(2, set));
  return named;
}

export function readHeader(value) {
  const item = members(value, HEADER);
  const last = members(item.last_block_id, ["hash", "parts", "parts_hash"]);
  const header = {
    blockVersion: number(item.block_version),
    appVersion: number(item.app_version),
    chainId: checkChainId(item.chain_id),
    height: number(item.height),
    time: BlockTime.parse(item.time),
    lastBlockId: readBlockId(fromBase64(last.hash), last.parts, last.parts_hash),
    proposer: fromBase64(item.proposer_address),
  };
  require(header.blockVersion === PROTOCOL, "block version");
  require(header.height >= 1, "height");
  require(header.proposer.length === 20, "proposer");
  for (const name of HASHES) {
    header[name] = fromBase64(item[name]);
    require((FIXED_HASHES.includes(name) ? [32] : [0, 32]).includes(header[name].length), "hash");
  }
  header.hash = headerHash(header);
  return header;
}

// RFC 6962 root over the 14 encoded fields; an empty field is an empty leaf.
function headerHash(header) {
  const fields = [
    concat(uintField(1, header.blockVersion), uintField(2, header.appVersion)),
    textField(1, header.chainId),
    uintField(1, header.height),
    header.time.encode(),
    header.lastBlockId.encoded,
    ...HASHES.map((name) => bytesField(1, header[name])),
    bytesField(1, header.proposer),
  ];
  return rootOf(fields.map(leafHash));
}

// Validators from [key, power] pairs, by power, greatest first, then by address.
export function readValidators(pairs) {
  require(pairs.length >= 1 && pairs.length <= MAX_VALIDATORS, "number of validators");
  const validators = pairs.map(([key, power]) => {
    const publicKey = fromBase64(key);
    require(publicKey.length === 32 && number(power) >= 1, "validator");
    return { publicKey, power, address: sha256(publicKey).slice(0, 20) };
  });
  const total = validators.reduce((sum, item) => sum + BigInt(item.power), 0n);
  require(total < 2n ** 60n, "total power");
  for (let at = 1; at < validators.length; at += 1) {
    const [one, two] = [validators[at - 1], validators[at]];
    const ordered = one.power > two.power || (one.power === two.power && compare(one.address, two.address) < 0);
    require(ordered, "order of validators");
  }
  const known = new Set(validators.map((item) => item.address.join()));
  require(known.size === validators.length, "validator twice");
  const leaves = validators.map((item) =>
    leafHash(concat(messageField(1, bytesField(1, item.publicKey)), uintField(2, item.power))),
  );
  return { validators, total, hash: rootOf(leaves) };
}

export function readLightBlock(value) {
  const item = members(value, ["header", "commit", "validators"]);
  const header = readHeader(item.header);
  const validators = readValidators(items(item.validators, MAX_VALIDATORS).map((entry) => pair(entry)));
  const commit = members(item.commit, ["round", "parts", "parts_hash", "votes"]);
  const votes = items(commit.votes, MAX_VALIDATORS).map(readVote);
  require(votes.length === validators.validators.length, "number of votes");
  const round = number(commit.round);
  const blockId = readBlockId(header.hash, commit.parts, commit.parts_hash);
  require(round <= MAX_ROUND && blockId.complete, "commit");
  return { header, validators, round, blockId, votes };
}

// A vote, or null for an absent one.
function readVote(value) {
  if (value === null) return null;
  const parts = items(value, 3);
  require(parts.length === 3 && ["commit", "nil"].includes(text(parts[0])), "vote");
  const vote = { forBlock: parts[0] === "commit", time: BlockTime.parse(parts[1]), signature: fromBase64(parts[2]) };
  require(vote.signature.length === 64, "signature size");
  return vote;
}

// Length-delimited CanonicalVote: a zero round is left out, a vote for nil names no block, the time is the vote's own.
export function signBytes(block, vote, chainId) {
  return delimited(
    concat(
      uintField(1, PRECOMMIT),
      sfixed64Field(2, block.header.height),
      sfixed64Field(3, block.round),
      vote.forBlock ? messageField(4, block.blockId.encoded) : new Uint8Array(0),
      messageField(5, vote.time.encode()),
      textField(6, chainId),
    ),
  );
}
