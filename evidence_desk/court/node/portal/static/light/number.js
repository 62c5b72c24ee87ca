// Evidence and certificate numbers: Crockford base32 with a check digit over GF(32). An address, never a proof.

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const READ = new Map([...ALPHABET].map((char, value) => [char, value]));
READ.set("O", 0).set("I", 1).set("L", 1);
const SEPARATORS = /[- \u2010\u2011\u2013]/g;
const FULL_WIDTH = /[\uff01-\uff5e]/g;

function times(left, right) {
  let product = 0;
  for (let factor = left, rest = right; rest; rest >>= 1) {
    if (rest & 1) product ^= factor;
    factor <<= 1;
    if (factor & 32) factor ^= 0b100101;
  }
  return product;
}

function checkDigit(digits, prefix) {
  let total = 0;
  let weight = 1;
  for (const digit of digits) {
    weight = times(weight, 2);
    total ^= times(weight, digit);
  }
  return prefix === "EC" ? total ^ times(weight, 2) : total;
}

function write(prefix, digits) {
  const text = digits.map((digit) => ALPHABET[digit]).join("");
  const groups = [0, 4, 8, 12].map((at) => text.slice(at, at + 4)).join("-");
  return `${prefix}-${groups}-${ALPHABET[checkDigit(digits, prefix)]}`;
}

// {number, prefix} in its one spelling; {mistyped: true} when the check digit is wrong; null when it is no number.
export function readNumber(typed) {
  if (typed.length > 64) return null;
  const narrow = typed.replace(FULL_WIDTH, (char) => String.fromCharCode(char.charCodeAt(0) - 0xfee0));
  const compact = narrow.replace(/\u3000/g, " ").replace(SEPARATORS, "");
  if (!/^[A-Za-z0-9]*$/.test(compact)) return null;
  const match = /^(ED|EC)(.{17})$/.exec(compact.toUpperCase());
  if (!match || [...match[2]].some((char) => !READ.has(char))) return null;
  const digits = [...match[2]].map((char) => READ.get(char));
  const check = digits.pop();
  if (checkDigit(digits, match[1]) !== check) return { mistyped: true };
  return { number: write(match[1], digits), prefix: match[1] };
}

// Number of a leaf hash (ED) or of another digest.
export function numberOf(prefix, digest) {
  let value = 0n;
  for (const byte of digest.subarray(0, 10)) value = (value << 8n) | BigInt(byte);
  const digits = [];
  for (let shift = 75n; shift >= 0n; shift -= 5n) digits.push(Number((value >> shift) & 31n));
  return write(prefix, digits);
}
