// Checkpoint: signed tree head of a desk's log (C2SP signed note), signed by both keys of the desk.

import { base64, concat, equal, fromBase64, textOf, utf8 } from "./bytes.js";
import { judge, RIGHT } from "./ed25519.js";
import { Malformed } from "./refusal.js";
import { checkOrigin } from "./registry.js";
import { sha256 } from "./sha256.js";
import { verifySm2 } from "./sm2.js";

const DASH = "\u2014 ";
const SM2_IDENTIFIER = "evidence-desk/note/sm2-sm3/1";
const MAX_SIGNATURES = 16;

export function parseCheckpoint(data) {
  const refuse = (reason) => new Malformed("malformed.note", { reason });
  const whole = textOf(data);
  if (whole === null) throw refuse("not UTF-8");
  const split = whole.lastIndexOf("\n\n");
  if (split < 0 || !whole.endsWith("\n")) throw refuse("no signature block");
  const signed = whole.slice(0, split + 1);
  const lines = whole.slice(split + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw refuse("number of signatures");
  const signatures = lines.map((line) => readLine(line, refuse));
  const [origin, size, root, rest] = signed.split("\n");
  if (rest !== "" || !/^(?:0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw new Malformed("malformed.checkpoint");
  }
  const checkpoint = { origin: checkOrigin(origin), size: Number(size), root: fromBase64(root, "malformed.checkpoint") };
  if (checkpoint.root.length !== 32 || signed !== `${origin}\n${size}\n${base64(checkpoint.root)}\n`) {
    throw new Malformed("malformed.checkpoint");
  }
  return { ...checkpoint, signed, signatures };
}

function readLine(line, refuse) {
  const match = /^([^\s+]+) (\S+)$/u.exec(line.startsWith(DASH) ? line.slice(DASH.length) : "");
  if (!match) throw refuse("signature line");
  const blob = fromBase64(match[2], "malformed.note");
  if (blob.length < 5) throw refuse("signature line");
  return { name: match[1], keyId: blob.subarray(0, 4), signature: blob.subarray(4) };
}

// Whether the desk signed the checkpoint with its Ed25519 and its SM2 key, exactly once with each.
export async function isSigned(checkpoint, desk) {
  const message = utf8(checkpoint.signed);
  const first = lineOf(checkpoint, concat(Uint8Array.of(0x01), desk.ed25519));
  const second = lineOf(checkpoint, concat(Uint8Array.of(0xff), utf8(SM2_IDENTIFIER), desk.sm2));
  if (first === null || second === null || first.length !== 64) return false;
  return (await judge(desk.ed25519, message, first)) === RIGHT && verifySm2(desk.sm2, message, second);
}

// The signature of the one line by a key; null when there is none or another one besides.
function lineOf({ origin, signatures }, typedKey) {
  const keyId = sha256(concat(utf8(`${origin}\n`), typedKey)).subarray(0, 4);
  const own = signatures.filter((item) => item.name === origin && equal(item.keyId, keyId));
  return own.length === 1 ? own[0].signature : null;
}
