// Sentences of the page, from the same lists as the program's own.

export class Texts {
  constructor(sentences, language) {
    this.sentences = sentences;
    this.language = language;
  }

  static async load(language) {
    const answer = await fetch(`/portal/texts/${language}.json`);
    return new Texts(await answer.json(), language);
  }

  has(code) {
    return Object.hasOwn(this.sentences, code);
  }

  say(code, facts = {}) {
    if (!this.has(code)) return code;
    return this.sentences[code].replace(/\{([a-z_]+)\}/g, (_, name) => String(facts[name] ?? "—"));
  }

  // A moment: Beijing time, UTC behind it; in sentences Beijing time alone.
  at(milliseconds, code = "portal.at") {
    const utc = new Date(milliseconds).toISOString();
    const beijing = new Date(milliseconds + 8 * 3600 * 1000).toISOString().replace("T", " ").slice(0, 19);
    return this.say(code, { beijing, utc });
  }

  short(milliseconds) {
    return this.at(milliseconds, "portal.at.short");
  }

  // The sentence of a finding; moments among its facts are told as moments.
  finding(item) {
    const facts = { ...item.parameters };
    if (typeof facts.time === "string" && !Number.isNaN(Date.parse(facts.time))) facts.time = this.short(Date.parse(facts.time));
    return this.say(item.code, facts);
  }

  get comma() {
    return this.language === "zh" ? "、" : ", ";
  }

  get colon() {
    return this.language === "zh" ? "：" : ": ";
  }
}
