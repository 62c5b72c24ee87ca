// An evidence package: its files and statement against the leaf that the network has on record.

import { equal, fromBase64, fromHex, hex, textOf } from "./light/bytes.js";
import { decode, members } from "./light/canonical.js";
import { FAILED, finding, PASSED, UNDETERMINED } from "./light/findings.js";
import { blind, objectsRoot, parseLeaf } from "./light/leaf.js";
import { leafHash } from "./light/merkle.js";
import { Malformed, Refusal } from "./light/refusal.js";
import { digestsOf } from "./hashing.js";
import { readZip } from "./zip.js";

const MIMETYPE = "application/vnd.etsi.asic-e+zip";
const MAX_PROOF = 64 * 1024 * 1024;
const PROOF = ["v", "number", "leaf", "checkpoint", "times", "court"];

async function bytesOf(blob) {
  return new Uint8Array(await blob.arrayBuffer());
}

// Whether a file is a package: its first entry says so.
export async function isPackage(file) {
  const head = await bytesOf(file.slice(0, 80));
  return textOf(head.subarray(30, 38)) === "mimetype" && textOf(head.subarray(38, 38 + MIMETYPE.length)) === MIMETYPE;
}

// {leaf, leafHash, findings, certificate}; `options` as for digestsOf, told the bytes of all files together.
export async function readPackage(file, { progress = () => {}, signal } = {}) {
  const entries = await readZip(file);
  const proof = entries.get("proof.json");
  if (!proof || proof.size > MAX_PROOF) throw new Malformed("portal.answer.package.malformed", { reason: "proof.json" });
  const item = members(decode(await bytesOf(proof), MAX_PROOF), PROOF, "malformed.proof");
  const encoded = fromBase64(members(item.leaf, ["leaf", "seq", "path"], "malformed.proof").leaf, "malformed.proof");
  const leaf = parseLeaf(encoded);
  const statement = entries.get("statement.json") ? await bytesOf(entries.get("statement.json")) : null;
  const names = [...entries.keys()].filter((name) => name.startsWith("files/")).sort();
  const files = [];
  let before = 0;
  for (const name of names) {
    const content = entries.get(name);
    const offset = before;
    const digests = await digestsOf(content, { progress: (done) => progress(offset + done), signal });
    files.push({ name, digests });
    before += content.size;
  }
  return {
    leaf,
    leafHash: leafHash(encoded),
    findings: [judgeFiles(leaf, files, saltOf(statement)), await judgeStatement(leaf, statement, signal)],
    certificate: entries.get("certificate.pdf") ?? null,
  };
}

function saltOf(statement) {
  if (statement === null) return null;
  try {
    const item = decode(statement, 16 * 1024 * 1024);
    return fromHex(item.salt, 32);
  } catch (error) {
    if (error instanceof Refusal || error instanceof TypeError) return null;
    throw error;
  }
}

function judgeFiles(leaf, files, salt) {
  const count = files.length;
  if (leaf.objectsRoot !== null) {
    if (leaf.objectsRoot.count !== count) return finding("portal.files", FAILED, "number", { count, expected: leaf.objectsRoot.count });
    const plain = files.map(({ digests }) => ({ sha256: hex(digests.sha256), sm3: hex(digests.sm3), size: digests.size }));
    const blinded = salt === null ? [] : files.map(({ digests }) => ({ blinded: hex(blind(digests, salt)) }));
    const right = [plain, blinded].some((list) => list.length === count && equal(objectsRoot(list), leaf.objectsRoot.root));
    return right ? finding("portal.files", PASSED, "right", { count }) : finding("portal.files", FAILED, "wrong", { names: "files/" });
  }
  if (leaf.objects.length !== count) return finding("portal.files", FAILED, "number", { count, expected: leaf.objects.length });
  const wrong = files.filter(({ digests }, at) => !fits(leaf.objects[at], digests, salt)).map(({ name }) => name);
  if (wrong.length) return finding("portal.files", FAILED, "wrong", { names: wrong.slice(0, 5).join(", ") });
  return finding("portal.files", PASSED, "right", { count });
}

function fits(object, digests, salt) {
  if (object.blinded) return salt !== null && equal(object.blinded, blind(digests, salt));
  return object.size === digests.size && equal(object.sha256, digests.sha256) && equal(object.sm3, digests.sm3);
}

async function judgeStatement(leaf, statement, signal) {
  if (statement === null || leaf.statement === null) return finding("portal.statement", UNDETERMINED, "missing");
  const digests = await digestsOf(new Blob([statement]), { signal });
  const same = equal(digests.sha256, leaf.statement.sha256) && equal(digests.sm3, leaf.statement.sm3);
  return finding("portal.statement", same ? PASSED : FAILED, same ? "right" : "wrong");
}
