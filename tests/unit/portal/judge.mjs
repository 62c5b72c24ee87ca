// Runs the portal's modules for the tests: a JSON object a line in, one a line out.

import { createInterface } from "node:readline";

const from = (path) => import(`${process.argv[2]}/light/${path}`);
const { verifyLeaf, verifyNumbers, verifySearch } = await from("answers.js");
const { hex } = await from("bytes.js");
const { decode } = await from("canonical.js");
const { judge } = await from("ed25519.js");
const { readNumber } = await from("number.js");
const { parseLeaf } = await from("leaf.js");
const { parseNetwork } = await from("network.js");
const { Refusal } = await from("refusal.js");
const { fromDigest, fromFile } = await import(`${process.argv[2]}/reports.js`);
const { Sha256 } = await from("sha256.js");
const { Sm3 } = await from("sm3.js");

const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const trusts = new Map();

function trustOf(text) {
  if (!trusts.has(text)) trusts.set(text, parseNetwork(bytes(text)));
  return trusts.get(text);
}

async function verify({ op, trust, now, asked }, data) {
  const context = { trust: trustOf(trust), now };
  if (op === "search") return verifySearch(data, bytes(asked), context);
  if (op === "leaf") return verifyLeaf(data, bytes(asked), context);
  return { found: await verifyNumbers(data, asked, context) };
}

// What a reader of the page would be shown as true.
function shown(answer) {
  const found = answer.found ?? [answer];
  const statuses = [answer.status, ...found.map((item) => item.status)].filter((status) => status !== undefined);
  return found.length > 0 && statuses.every((status) => status === "passed");
}

function inPieces(hasher, data, sizes) {
  let at = 0;
  for (const size of sizes) {
    hasher.update(data.subarray(at, at + size));
    at += size;
  }
  return hex(hasher.update(data.subarray(at)).digest());
}

const OPERATIONS = {
  hash: ({ data, sizes }) => ({
    sha256: inPieces(new Sha256(), bytes(data), sizes),
    sm3: inPieces(new Sm3(), bytes(data), sizes),
  }),
  canonical: ({ data }) => ({ value: decode(bytes(data), 1 << 20) }),
  number: ({ text }) => ({ value: readNumber(text) }),
  leafText: ({ data }) => ({ value: parseLeaf(bytes(data)).type }),
  network: ({ data }) => ({ fingerprint: parseNetwork(bytes(data)).fingerprint }),
  ed25519: async ({ key, message, signature }) => ({
    value: await judge(bytes(key), bytes(message), bytes(signature)),
  }),
  report: async ({ answers, digests, asked, size, trust, now }) => {
    const context = { trust: trustOf(trust), now };
    const pair = digests && { sha256: bytes(digests[0]), sm3: bytes(digests[1]), size };
    const given = pair ? [pair.sha256, pair.sm3] : [bytes(asked)];
    const searches = await Promise.all(answers.map((data, at) => verifySearch(bytes(data), given[at], context)));
    return { report: pair ? fromFile(...searches, pair, now) : fromDigest(searches[0], given[0], now) };
  },
  flips: async (request) => {
    const survivors = [];
    for (const [at, bit] of request.places) {
      const data = bytes(request.data);
      data[at] ^= 1 << bit;
      try {
        if (shown(await verify({ ...request, op: request.of }, data))) survivors.push([at, bit]);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }
    return { survivors };
  },
};

function plain(name, value) {
  return value instanceof Uint8Array ? hex(value) : typeof value === "bigint" ? String(value) : value;
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    const known = OPERATIONS[request.op];
    answer = known ? await known(request) : { answer: await verify(request, bytes(request.data)) };
    if (!known) answer.shown = shown(answer.answer);
  } catch (error) {
    answer = error instanceof Refusal ? { refused: error.code } : { bug: String(error.stack) };
  }
  process.stdout.write(`${JSON.stringify(answer, plain)}\n`);
}
