// Asking the gateway. What comes back is bytes: believed only after the light verification.

export class Unreachable extends Error {
  constructor(codeOrStatus, sentences = {}) {
    super(codeOrStatus);
    this.sentences = sentences;
  }
}

// Bytes of an answer; null when there is none (404).
async function get(path, signal) {
  let response;
  let body;
  try {
    response = await fetch(path, { signal, headers: { Accept: "application/json" } });
    body = new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable("network");
  }
  if (response.ok) return body;
  let told = {};
  try {
    told = JSON.parse(new TextDecoder().decode(body));
  } catch {
    // Some proxy's page: the status has to do.
  }
  if (response.status === 404) return null;
  throw new Unreachable(told.error ?? `HTTP ${response.status}`, { zh: told.message_zh, en: told.message_en });
}

export const askNetwork = (signal) => get("/v1/trust/network.json", signal);
export const askDigest = (digest, signal) => get(`/v1/lookup/${digest}`, signal);
export const askNumber = (number, signal) => get(`/v1/numbers/${encodeURIComponent(number)}`, signal);
export const askLeaf = (hash, signal) => get(`/v1/leaves/${hash}`, signal);
