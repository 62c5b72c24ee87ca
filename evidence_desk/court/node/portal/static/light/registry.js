// What the network registers: desks with their keys and status, and the checkpoints it accepted (protobuf).

import { concat, EMPTY, equal, textOf } from "./bytes.js";
import { require_ } from "./refusal.js";
import { bytesField, messageField, readFields, textField, uintField } from "./wire.js";

export const ACTIVE = 1;
export const CLOSED = 2;
export const REVOKED = 3;

const ORIGIN =
  /^desk\.([a-z0-9-]{1,32})\.evidence\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/(?:0|[1-9][0-9]{0,5})$/;

export function checkOrigin(value) {
  require_(typeof value === "string" && ORIGIN.test(value), "malformed.origin");
  return value;
}

// Origin without its epoch: what a desk keeps when a restore opens a new log.
export function familyOf(origin) {
  return checkOrigin(origin).slice(0, origin.lastIndexOf("/"));
}

class Fields {
  constructor(data, known) {
    this.found = readFields(data, known);
  }

  uint(number) {
    const value = this.found.get(number) ?? 0;
    require_(typeof value === "number", "malformed.wire", { what: "message", reason: "kind" });
    return value;
  }

  bytes(number, ...sizes) {
    const value = this.found.get(number) ?? EMPTY;
    const good = typeof value !== "number" && (!sizes.length || sizes.includes(value.length));
    require_(good, "malformed.wire", { what: "message", reason: "size" });
    return value;
  }

  text(number) {
    const value = textOf(this.bytes(number));
    require_(value !== null, "malformed.wire", { what: "message", reason: "text" });
    return value;
  }
}

export function decodeRecord(data) {
  const fields = new Fields(data, [1, 2, 3, 4]);
  const record = {
    origin: checkOrigin(fields.text(1)),
    size: fields.uint(2),
    root: fields.bytes(3, 32),
    height: fields.uint(4),
    encoded: data,
  };
  require_(record.size && record.height, "malformed.registry", { reason: "record" });
  const again = concat(
    textField(1, record.origin), uintField(2, record.size), bytesField(3, record.root), uintField(4, record.height),
  );
  require_(equal(again, data), "malformed.wire", { what: "record", reason: "not canonical" });
  return record;
}

export function decodeDesk(data) {
  const fields = new Fields(data, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const keys = new Fields(fields.bytes(3), [1, 2, 3, 4]);
  const desk = {
    origin: checkOrigin(fields.text(1)),
    office: fields.text(2),
    ed25519: keys.bytes(1, 32),
    sm2: keys.bytes(2, 65),
    registered: fields.uint(4),
    keysSince: fields.uint(5),
    status: fields.uint(6),
    statusSince: fields.uint(7),
    suspectFrom: fields.uint(8),
    successor: fields.text(9),
    size: fields.uint(10),
    root: fields.bytes(11),
    encoded: data,
  };
  const good =
    [ACTIVE, CLOSED, REVOKED].includes(desk.status) &&
    ORIGIN.exec(desk.origin)[1] === desk.office &&
    Boolean(desk.suspectFrom) === (desk.status === REVOKED) &&
    (!desk.successor || desk.status !== ACTIVE) &&
    desk.root.length === (desk.size ? 32 : 0) &&
    desk.registered <= Math.min(desk.keysSince, desk.statusSince) &&
    desk.sm2[0] === 4;
  require_(good, "malformed.registry", { reason: "desk" });
  if (desk.successor) checkOrigin(desk.successor);
  require_(equal(encodeDesk(desk, keys), data), "malformed.wire", { what: "desk", reason: "not canonical" });
  return desk;
}

function encodeDesk(desk, keys) {
  const own = concat(
    bytesField(1, desk.ed25519), bytesField(2, desk.sm2), bytesField(3, keys.bytes(3, 64)), bytesField(4, keys.bytes(4, 64)),
  );
  return concat(
    textField(1, desk.origin), textField(2, desk.office), messageField(3, own), uintField(4, desk.registered),
    uintField(5, desk.keysSince), uintField(6, desk.status), uintField(7, desk.statusSince),
    uintField(8, desk.suspectFrom), textField(9, desk.successor), uintField(10, desk.size), bytesField(11, desk.root),
  );
}
