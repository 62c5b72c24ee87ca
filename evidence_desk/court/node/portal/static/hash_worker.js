// One digest of one file, in pieces, off the page's thread. Messages: {file, algorithm} in; {done} and {digest} out.

import { Sha256 } from "./light/sha256.js";
import { Sm3 } from "./light/sm3.js";

const PIECE = 4 * 1024 * 1024;

self.onmessage = async ({ data: { file, algorithm } }) => {
  const hasher = algorithm === "sm3" ? new Sm3() : new Sha256();
  try {
    for (let at = 0; at < file.size; at += PIECE) {
      const piece = await file.slice(at, at + PIECE).arrayBuffer();
      hasher.update(new Uint8Array(piece));
      self.postMessage({ done: at + piece.byteLength });
    }
    // A file that grew or shrank meanwhile is not the one that was chosen.
    if (hasher.size !== file.size) throw new Error("size");
    self.postMessage({ digest: hasher.digest() });
  } catch (error) {
    self.postMessage({ failed: String(error) });
  }
};
