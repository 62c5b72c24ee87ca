// Trust in a network (network/1): genesis validators and headers known to be on its chain.

import { fromHex, hex } from "./bytes.js";
import { checkChainId, readHeader, readValidators } from "./block.js";
import { decode, items, members, number } from "./canonical.js";
import { BlockTime } from "./moment.js";
import { require_ } from "./refusal.js";
import { sha256 } from "./sha256.js";

const MEMBERS = ["v", "chain_id", "initial_height", "genesis_time", "validators", "institutions", "headers"];
const WRONG = "malformed.court_trust";

export function parseNetwork(data) {
  const item = members(decode(data, 4 * 1024 * 1024), MEMBERS, WRONG);
  require_(item.v === "network/1" && number(item.initial_height) >= 1, WRONG, { reason: "version" });
  const pairs = items(item.validators, 300).map((entry) => {
    const { key, power } = members(entry, ["key", "power"], WRONG);
    return [key, power];
  });
  const trust = {
    chainId: checkChainId(item.chain_id),
    initialHeight: item.initial_height,
    genesisTime: BlockTime.parse(item.genesis_time),
    genesis: readValidators(pairs),
    headers: items(item.headers, 4000).map(readHeader),
    institutions: readInstitutions(item.institutions),
    demo: item.chain_id.startsWith("demo-"),
    fingerprint: hex(sha256(data)),
  };
  trust.headers.forEach((header, at) => {
    const earlier = trust.headers[at - 1];
    const ordered = !earlier || (earlier.height < header.height && earlier.time.compare(header.time) < 0);
    const own = header.chainId === trust.chainId && header.height >= trust.initialHeight;
    require_(ordered && own, WRONG, { reason: "headers" });
  });
  return trust;
}

function readInstitutions(value) {
  const names = new Map();
  const given = value !== null && typeof value === "object" && !Array.isArray(value);
  require_(given, WRONG, { reason: "institutions" });
  for (const [address, name] of Object.entries(value)) {
    fromHex(address, 20, WRONG);
    const good = typeof name === "string" && name.length > 0 && name.length <= 400 && !/\p{C}/u.test(name);
    require_(good, WRONG, { reason: "institutions" });
    names.set(address, name);
  }
  return names;
}
