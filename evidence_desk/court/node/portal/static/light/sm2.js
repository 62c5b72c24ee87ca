// SM2 signatures (GB/T 32918.2 §7, user ID 1234567812345678) on the desk's checkpoints: verification only, so that nothing
// here is secret and plain big integers do.

import { concat, fromHex, hex, utf8 } from "./bytes.js";
import { sm3 } from "./sm3.js";

const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const A = P - 3n;
const B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
const N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
const G = [
  0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
  1n,
];
const ID = utf8("1234567812345678");

function mod(value, modulus = P) {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

function number(data) {
  return BigInt(`0x${hex(data)}`);
}

function encoded(value) {
  return fromHex(value.toString(16).padStart(64, "0"), 32);
}

// Points in Jacobian coordinates; z = 0 is the point at infinity.
function double([x, y, z]) {
  if (z === 0n || y === 0n) return [1n, 1n, 0n];
  const square = mod(y * y);
  const s = mod(4n * x * square);
  const zz = mod(z * z);
  const m = mod(3n * (x - zz) * (x + zz));
  const x3 = mod(m * m - 2n * s);
  return [x3, mod(m * (s - x3) - 8n * square * square), mod(2n * y * z)];
}

function add(first, second) {
  if (first[2] === 0n) return second;
  if (second[2] === 0n) return first;
  const [z1, z2] = [mod(first[2] * first[2]), mod(second[2] * second[2])];
  const [u1, u2] = [mod(first[0] * z2), mod(second[0] * z1)];
  const [s1, s2] = [mod(first[1] * z2 * second[2]), mod(second[1] * z1 * first[2])];
  if (u1 === u2) return s1 === s2 ? double(first) : [1n, 1n, 0n];
  const h = mod(u2 - u1);
  const r = mod(s2 - s1);
  const hh = mod(h * h);
  const hhh = mod(h * hh);
  const v = mod(u1 * hh);
  const x = mod(r * r - hhh - 2n * v);
  return [x, mod(r * (v - x) - s1 * hhh), mod(first[2] * second[2] * h)];
}

function times(factor, point) {
  let result = [1n, 1n, 0n];
  for (const bit of factor.toString(2)) {
    result = double(result);
    if (bit === "1") result = add(result, point);
  }
  return result;
}

function affineX([x, , z]) {
  let inverse = 1n;
  let base = z;
  for (let rest = P - 2n; rest; rest >>= 1n) {
    if (rest & 1n) inverse = mod(inverse * base);
    base = mod(base * base);
  }
  return mod(x * inverse * inverse);
}

// {r, s} from DER SEQUENCE {INTEGER, INTEGER}, in its one spelling; null for anything else.
function readSignature(data) {
  if (data.length < 8 || data[0] !== 0x30 || data[1] !== data.length - 2 || data[1] > 0x7f) return null;
  const numbers = [];
  let at = 2;
  while (at < data.length) {
    const size = data[at + 1];
    const body = data.subarray(at + 2, at + 2 + size);
    if (data[at] !== 2 || !size || body.length !== size || body[0] & 0x80) return null;
    if (size > 1 && body[0] === 0 && !(body[1] & 0x80)) return null;
    numbers.push(number(body));
    at += 2 + size;
  }
  return numbers.length === 2 ? { r: numbers[0], s: numbers[1] } : null;
}

export function verifySm2(publicKey, message, signature) {
  const pair = readSignature(signature);
  if (publicKey.length !== 65 || publicKey[0] !== 4 || pair === null) return false;
  const key = [number(publicKey.subarray(1, 33)), number(publicKey.subarray(33)), 1n];
  const [x, y] = key;
  if (x >= P || y >= P || mod(y * y) !== mod(x * x * x + A * x + B)) return false;
  const { r, s } = pair;
  if (r < 1n || r >= N || s < 1n || s >= N) return false;
  const about = concat(Uint8Array.of(0, 8 * ID.length), ID, encoded(A), encoded(B), encoded(G[0]), encoded(G[1]));
  const e = number(sm3(concat(sm3(concat(about, publicKey.subarray(1))), message)));
  const t = mod(r + s, N);
  if (t === 0n) return false;
  const sum = add(times(s, G), times(t, key));
  return sum[2] !== 0n && mod(e + affineX(sum), N) === r;
}
