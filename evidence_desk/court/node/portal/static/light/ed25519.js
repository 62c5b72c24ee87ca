// Ed25519 by the browser's WebCrypto. ZIP-215 arithmetic runs only where WebCrypto refuses, to tell a wrong signature
// from one on which implementations differ: such a vote is left out of the sum, as in the program's own verifier.

import { concat, fromHex } from "./bytes.js";
import { Unable } from "./refusal.js";

export const RIGHT = "right";
export const DISPUTED = "disputed";
export const WRONG = "wrong";

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const ZERO = [0n, 1n, 1n, 0n];

const D = mod(-121665n * power(121666n, P - 2n));

let able = null;

// Whether this browser really tells right from wrong signatures (RFC 8032 §7.1, test 1).
export function isAble() {
  able ??= selfTest();
  return able;
}

async function selfTest() {
  const key = fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", 32);
  const signature = concat(
    fromHex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155", 32),
    fromHex("5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b", 32),
  );
  try {
    const message = new Uint8Array(0);
    const right = await verify(key, message, signature);
    signature[0] ^= 1;
    return right && !(await verify(key, message, signature));
  } catch {
    return false;
  }
}

async function verify(publicKey, message, signature) {
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

// RIGHT, DISPUTED or WRONG; Unable when the browser has no Ed25519.
export async function judge(publicKey, message, signature) {
  if (!(await isAble())) throw new Unable("portal.no_ed25519");
  try {
    if (await verify(publicKey, message, signature)) return RIGHT;
  } catch {
    // A key that the browser does not accept: judged below.
  }
  return (await zip215(publicKey, message, signature)) ? DISPUTED : WRONG;
}

// 8·(s·B − R − h·A) = 0 with s < L.
async function zip215(publicKey, message, signature) {
  const key = decode(publicKey);
  const commitment = decode(signature.subarray(0, 32));
  const s = littleEndian(signature.subarray(32));
  if (key === null || commitment === null || s >= L) return false;
  const hashed = await crypto.subtle.digest("SHA-512", concat(signature.subarray(0, 32), publicKey, message));
  const h = littleEndian(new Uint8Array(hashed)) % L;
  const [x, y, z, t] = add(commitment, times(h, key));
  const rest = times(8n, add(times(s, base()), [mod(-x), y, z, mod(-t)]));
  return rest[0] === 0n && rest[1] === rest[2];
}

function littleEndian(data) {
  let value = 0n;
  for (let at = data.length - 1; at >= 0; at -= 1) value = (value << 8n) | BigInt(data[at]);
  return value;
}

function mod(value) {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(value, exponent) {
  let result = 1n;
  let square = mod(value);
  for (let rest = exponent; rest; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}


// Point of an encoding, canonical or not (RFC 8032 §5.1.3 without the range check).
function decode(data) {
  const number = littleEndian(data);
  const sign = number >> 255n;
  const y = mod(number & (2n ** 255n - 1n));
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  let x = mod(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n));
  if (mod(v * x * x) === mod(-u)) x = mod(x * power(2n, (P - 1n) / 4n));
  if (mod(v * x * x) !== u) return null;
  if ((x & 1n) !== sign) x = mod(-x);
  return [x, y, 1n, mod(x * y)];
}

function add(first, second) {
  const a = (first[1] - first[0]) * (second[1] - second[0]);
  const b = (first[1] + first[0]) * (second[1] + second[0]);
  const c = 2n * first[3] * second[3] * D;
  const d = 2n * first[2] * second[2];
  const [e, f, g, h] = [mod(b - a), mod(d - c), mod(d + c), mod(b + a)];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function times(factor, point) {
  let result = ZERO;
  let doubled = point;
  for (let rest = factor; rest; rest >>= 1n) {
    if (rest & 1n) result = add(result, doubled);
    doubled = add(doubled, doubled);
  }
  return result;
}

function base() {
  const encoded = new Uint8Array(32).fill(0x66);
  encoded[0] = 0x58;
  return decode(encoded);
}
