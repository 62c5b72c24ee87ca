// Findings: passed, failed or undetermined. Unknown is undetermined, never passed.

export const PASSED = "passed";
export const FAILED = "failed";
export const UNDETERMINED = "undetermined";

export function finding(check, status, reason, parameters = {}) {
  return { check, status, code: `${check}.${reason}`, parameters };
}

// A finding that says what a refusal says; what this browser cannot check is undetermined.
export function refusal(check, error) {
  const unknown = ["court.trust_unreached", "portal.no_ed25519"].includes(error.code);
  return { check, status: unknown ? UNDETERMINED : FAILED, code: error.code, parameters: error.parameters };
}

export function worst(findings) {
  if (findings.some((item) => item.status === FAILED)) return FAILED;
  const all = findings.length > 0 && findings.every((item) => item.status === PASSED);
  return all ? PASSED : UNDETERMINED;
}
