// One question from beginning to end: ask the gateway, verify here, put a report together.

import { equal, hex } from "./light/bytes.js";
import { verifyLeaf, verifyNumbers, verifySearch } from "./light/answers.js";
import { FAILED } from "./light/findings.js";
import { readNumber } from "./light/number.js";
import { familyOf } from "./light/registry.js";
import { digestsOf } from "./hashing.js";
import { askDigest, askLeaf, askNumber } from "./gateway.js";
import { isPackage, readPackage } from "./package.js";
import {
  digestRows, falsehood, fromDigest, fromFile, fromRecords, isRevoked, readQuestion, recordOf, refused, told,
} from "./reports.js";

export class Asking {
  // `context`: {trust, now (milliseconds), signal, progress(name, done, size)}
  constructor(context) {
    this.context = context;
  }

  async search(digest) {
    const data = await askDigest(hex(digest), this.context.signal);
    return verifySearch(data ?? new Uint8Array(0), digest, this.context);
  }

  async text(typed) {
    const question = readQuestion(typed);
    if (question.leaf) return this.code(question);
    if (question.digest) return this.digest(question.digest);
    const read = readNumber(question.text);
    if (read?.number && read.prefix === "ED") return this.number(read.number);
    const code = read?.mistyped ? "mistyped" : read?.number ? "certificate_number" : "unasked";
    const report = told("input", `portal.answer.${code}`);
    report.asked = [["portal.ask", question.text]];
    return report;
  }

  async code({ leaf, chain }) {
    if (chain !== null && chain !== this.context.trust.chainId) {
      return told("input", "portal.answer.other_chain", { chain });
    }
    return (await this.leaf(leaf)) ?? this.none("portal.answer.leaf.none", "portal.asked.leaf", hex(leaf));
  }

  none(code, label, value, facts = {}) {
    const report = told("undetermined", code, facts);
    report.asked = [[label, value]];
    return report;
  }

  async leaf(hash, notes = ["portal.note.number_only"]) {
    const data = await askLeaf(hex(hash), this.context.signal);
    if (data === null) return null;
    const record = recordOf(await verifyLeaf(data, hash, this.context), this.context.now);
    const report = fromRecords([record], "portal.answer.leaf");
    report.asked = [["portal.asked.leaf", hex(hash)]];
    report.notes.push(...notes);
    report.caveats = record.caveats;
    return report;
  }

  async number(number) {
    const data = await askNumber(number, this.context.signal);
    const found = data === null ? [] : await verifyNumbers(data, number, this.context);
    if (!found.length) return this.none("portal.answer.number.none", "portal.asked.number", number, { number });
    const records = found.map((item) => recordOf(item, this.context.now));
    const report = fromRecords(records, "portal.answer.number", { number });
    report.asked = [["portal.asked.number", number]];
    report.notes.push("portal.note.number_only");
    report.caveats = records[0].caveats;
    return report;
  }

  async digest(digest) {
    const report = fromDigest(await this.search(digest), digest, this.context.now);
    // A leaf hash looks like any other digest.
    const leaf = report.outcome === "absent" ? await this.leaf(digest) : null;
    if (leaf !== null) return leaf;
    report.asked = [["portal.asked.digest", hex(digest)]];
    return report;
  }

  async file(file) {
    const { signal } = this.context;
    const progress = (done) => this.context.progress(file.name, done, file.size);
    progress(0);
    if (await isPackage(file)) return this.package(file, { progress, signal });
    const digests = await digestsOf(file, { progress, signal });
    const [first, second] = [await this.search(digests.sha256), await this.search(digests.sm3)];
    const report = fromFile(first, second, digests, this.context.now);
    report.asked = this.named("portal.asked.file", file, digests);
    if (report.code === "portal.answer.certificate") report.notes.push("portal.note.name");
    return report;
  }

  named(label, file, digests = null) {
    const size = ["portal.asked.size", file.size];
    return [[label, file.name], size, ...(digests ? digestRows(digests) : [])];
  }

  async package(file, options) {
    const content = await readPackage(file, options);
    const asked = this.named("portal.asked.package", file);
    const report = (await this.leaf(content.leafHash, [])) ?? told("undetermined", "portal.answer.package.unknown");
    const broken = content.findings.filter((item) => item.status === FAILED);
    const doubts = content.findings.filter((item) => item.status !== "passed");
    for (const record of report.records) record.findings.unshift(...content.findings);
    if (!report.records.length) report.lookups = content.findings;
    if (broken.length) Object.assign(report, { outcome: "failed", code: "portal.answer.package.wrong", reason: null });
    else if (report.outcome === "present") {
      if (doubts.length) Object.assign(report, refused(doubts), { records: report.records });
      else report.code = "portal.answer.package";
    }
    report.asked = asked;
    report.notes = ["portal.note.package"];
    return content.certificate === null ? report : this.withCertificate(report, content, options);
  }

  // The certificate inside is looked up by its digests, as if it had been given alone.
  async withCertificate(report, { certificate, leaf }, { signal }) {
    const digests = await digestsOf(certificate, { signal });
    const searches = [await this.search(digests.sha256), await this.search(digests.sm3)];
    const inner = fromFile(...searches, digests, this.context.now);
    const wrong = falsehood(...searches);
    const known = report.records.map((record) => record.leafHash);
    const given = inner.records.filter((record) => !known.some((hash) => equal(hash, record.leafHash)));
    // Any desk can register the certificate's digest: only what its own desk says of it counts.
    const own = given.filter((record) => record.leaf !== null && familyOf(record.leaf.log) === familyOf(leaf.log));
    report.records.push(...own);
    if (own.length < given.length) report.notes.push(["portal.note.other_desks", { count: given.length - own.length }]);
    if (wrong !== null && report.outcome !== "failed") {
      Object.assign(report, { outcome: "failed", code: wrong.code, facts: wrong.facts, reason: wrong.reason });
    } else if (own.some(isRevoked) && report.outcome === "present") {
      Object.assign(report, { outcome: "undetermined", code: "portal.answer.revoked", reason: null });
    }
    return report;
  }
}
