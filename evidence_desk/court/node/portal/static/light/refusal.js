// What a reader or verifier refuses, by the same codes as the program's own verifier.

export class Refusal extends Error {
  constructor(code, parameters = {}) {
    super(code);
    this.name = "Refusal";
    this.code = code;
    this.parameters = parameters;
  }
}

// Bytes that are not in the form their format asks for.
export class Malformed extends Refusal {}

// Well-formed, but not true.
export class Untrue extends Refusal {}

// This browser has no Ed25519: nothing is wrong, nothing is shown.
export class Unable extends Refusal {}

export function require_(good, code, parameters = {}) {
  if (!good) throw new Malformed(code, parameters);
}

export function hold(good, code, parameters = {}) {
  if (!good) throw new Untrue(code, parameters);
}
