// The answer as elements of the page. Texts only ever become text nodes.

import { hex } from "./light/bytes.js";

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function digest(data) {
  return element("code", { class: "digest" }, typeof data === "string" ? data : hex(data));
}

function rows(pairs) {
  const list = element("dl");
  for (const [label, value] of pairs) list.append(element("dt", {}, label), element("dd", {}, value));
  return list;
}

// Look-ups of several kinds with one outcome are told together.
function merged(findings) {
  const told = [];
  for (const item of findings) {
    const same = item.kind && told.find((other) => other.kinds && other.code === item.code && other.status === item.status);
    if (same) same.kinds.push(item.kind);
    else told.push(item.kind ? { ...item, kinds: [item.kind] } : item);
  }
  return told;
}

export class Renderer {
  constructor(texts) {
    this.texts = texts;
    this.say = (code, facts) => texts.say(code, facts);
  }

  answer(report, { trust, now, again }) {
    const page = element("article", { class: "answer", "data-outcome": report.outcome, "data-code": report.code });
    page.append(this.headline(report));
    for (const note of report.notes) page.append(this.note(note));
    page.append(element("h3", {}, this.say("portal.asked")), this.asked(report, trust, now));
    for (const record of report.records) page.append(this.record(record));
    if (report.findings.length || report.lookups.length) page.append(this.lookup(report));
    if (report.records.length || report.findings.length) {
      for (const note of ["browser", "tokens"]) page.append(element("p", { class: "note" }, this.say(`portal.note.${note}`)));
    }
    page.append(this.actions(again));
    return page;
  }

  headline(report) {
    const facts = { ...report.facts };
    if (typeof facts.time === "number") facts.time = this.texts.short(facts.time);
    if (report.reason) facts.reason = this.texts.finding(report.reason);
    const demo = report.caveats.some((item) => item.code === "demo.chain");
    const mark = demo ? element("span", { class: "mark" }, this.say("portal.demo")) : null;
    return element(
      "div",
      { class: `headline ${report.outcome}` },
      element("p", { class: "outcome" }, this.say(`portal.outcome.${report.outcome}`), mark),
      element("p", { class: "sentence" }, this.say(report.code, facts)),
    );
  }

  note(note) {
    const [code, facts] = Array.isArray(note) ? note : [note, {}];
    return element("p", { class: "warning" }, this.say(code, facts));
  }

  asked(report, trust, now) {
    const given = report.asked.map(([label, value]) => [
      this.texts.has(label) ? this.say(label) : label,
      /^[0-9a-f]{64}$/.test(value) ? digest(value) : typeof value === "number" ? this.size(value) : value,
    ]);
    return rows([
      ...given,
      [this.say("portal.asked.at"), this.texts.at(now)],
      [this.say("portal.trust.chain"), digest(trust.chainId)],
    ]);
  }

  size(bytes) {
    return this.say("portal.asked.bytes", { size: bytes.toLocaleString("en-US") });
  }

  // `findings` under a heading; folded only when all of them passed and `folds` says so. Printing unfolds.
  checks(title, findings, folds = false) {
    const others = findings.filter((item) => item.status !== "passed").length;
    const count = this.say(`portal.checks.${others ? "others" : "passed"}`, { count: findings.length, others });
    const list = element("ul", { class: "checks" });
    for (const item of merged(findings)) {
      const about = item.kinds ? item.kinds.map((kind) => this.say(`portal.kind.${kind}`)).join(this.texts.comma) + this.texts.colon : "";
      list.append(
        element(
          "li",
          { class: item.status, "data-code": item.code },
          element("span", { class: "status" }, this.say(`portal.status.${item.status}`)),
          element("span", {}, about + this.texts.finding(item)),
        ),
      );
    }
    const summary = element("summary", {}, element("h4", {}, `${title}${this.texts.colon}${count}`));
    return element("details", { open: !folds || others > 0 }, summary, list);
  }

  record(record) {
    const part = element("section", { class: "record" });
    part.append(element("h3", {}, `${this.say("portal.record")} ${record.number}`));
    for (const caveat of record.caveats.filter((item) => item.code !== "demo.chain")) {
      part.append(element("p", { class: "warning" }, this.texts.finding(caveat)));
    }
    if (record.status === "failed") part.append(element("p", { class: "warning" }, this.say("portal.record.failed")));
    else if (record.proven) part.append(rows(this.facts(record)), this.signers(record.proven.signers));
    else part.append(element("p", { class: "warning" }, this.say("portal.record.unproven")));
    part.append(this.checks(this.say("portal.checks"), record.findings));
    return part;
  }

  type(leaf) {
    const code = `portal.record.type.${leaf.type}`;
    return this.texts.has(code) ? this.say(code) : this.say("portal.record.type.other", { type: leaf.type });
  }

  facts({ leaf, leafHash, proven }) {
    const events = proven.events.map((event) =>
      this.say("portal.record.event", { type: this.type(event), height: event.height }),
    );
    const asOf = { height: proven.asOf, time: this.texts.at(proven.asOfTime) };
    return [
      [this.say("portal.record.type"), this.type(leaf)],
      [this.say("portal.record.anchored"), this.texts.at(proven.anchoredAt)],
      [this.say("portal.record.height"), String(proven.height)],
      [this.say("portal.record.block"), digest(proven.blockHash)],
      [this.say("portal.record.log"), `${leaf.log}${this.texts.comma}${this.say("portal.record.place", { seq: leaf.seq })}`],
      [this.say("portal.record.leaf"), digest(leafHash)],
      [this.say("portal.record.asof"), this.say("portal.record.asof.value", asOf)],
      [this.say("portal.record.events"), events.length ? events.join(this.texts.comma) : this.say("portal.record.events.none")],
    ];
  }

  signers(signers) {
    const signed = signers.filter((item) => item.signed).length;
    const title = `${this.say("portal.signers")}${this.texts.colon}`;
    const summary = this.say("portal.signers.summary", { signed, count: signers.length });
    const list = element("ul", { class: "signers" });
    for (const item of signers) {
      const name = item.institution || this.say("portal.signers.unnamed", { address: item.address.slice(0, 8) });
      const state = this.say(`portal.signers.${item.signed ? "signed" : "absent"}`);
      const power = this.say("portal.signers.power", { power: item.power });
      const mark = element("span", { class: item.signed ? "passed" : "undetermined" }, element("span", { class: "status" }, state));
      list.append(element("li", {}, element("span", {}, name, element("span", { class: "quiet" }, ` ${power}`)), mark));
    }
    return element("div", {}, element("h4", {}, title + summary), list);
  }

  lookup(report) {
    const part = element("section", { class: "record" });
    const findings = [...report.findings, ...report.lookups];
    part.append(this.checks(this.say("portal.checks.lookup"), findings, report.records.length > 0));
    if (report.signers.length && !report.records.length) part.append(this.signers(report.signers));
    return part;
  }

  actions(again) {
    const print = element("button", { type: "button", class: "button" }, this.say("portal.print"));
    print.addEventListener("click", () => window.print());
    const back = element("button", { type: "button", class: "button" }, this.say("portal.again"));
    back.addEventListener("click", again);
    return element("div", { class: "actions" }, print, back);
  }
}
