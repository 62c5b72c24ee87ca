// The page: gives files, texts and codes to `Asking`, shows its reports. The script is the server's own: the page says so.

import { parseNetwork } from "./light/network.js";
import { Refusal, Unable } from "./light/refusal.js";
import { isAble } from "./light/ed25519.js";
import { finding, UNDETERMINED } from "./light/findings.js";
import { Asking } from "./ask.js";
import { canRead, readImage, scan } from "./codes.js";
import { askNetwork, Unreachable } from "./gateway.js";
import { Canceled, Unreadable } from "./hashing.js";
import { element, Renderer } from "./render.js";
import { refused, told } from "./reports.js";
import { Texts } from "./texts.js";

const { language, chain } = document.body.dataset;
const at = (id) => document.getElementById(id);
let texts;
let renderer;
let running = null;
let asked = false;

// Whoever is quicker than the sentences waits for them; what is asked or dropped meanwhile is not lost.
const prepared = Texts.load(language).then((loaded) => {
  texts = loaded;
  renderer = new Renderer(texts);
});

async function trustRoot(signal) {
  const data = await askNetwork(signal);
  return parseNetwork(data ?? new Uint8Array(0));
}

// --- one question -------------------------------------------------------------------------------------------------

async function ask(question) {
  asked = true;
  await prepared;
  running?.abort();
  const stop = new AbortController();
  running = stop;
  waiting(texts.say("portal.asking"), null, stop);
  at("answer").replaceChildren();
  let trust = { chainId: chain };
  let report;
  try {
    trust = await trustRoot(stop.signal);
    const progress = (name, done, size) => hashing(name, done, size, stop);
    report = await question(new Asking({ trust, now: Date.now(), signal: stop.signal, progress }));
    if (!(await isAble())) report = { ...report, ...unable(), records: [], findings: report.findings };
  } catch (error) {
    report = stop.signal.aborted ? told("undetermined", "portal.answer.canceled") : trouble(error);
  }
  if (running !== stop) return;
  running = null;
  at("progress").hidden = true;
  const again = () => {
    at("answer").replaceChildren();
    at("check").scrollIntoView();
    at("q").focus();
  };
  at("answer").replaceChildren(renderer.answer(report, { trust, now: Date.now(), again }));
  at("answer").scrollIntoView({ block: "start" });
}

function unable() {
  return refused([{ ...finding("portal", UNDETERMINED, "no_ed25519") }]);
}

// What went wrong, as a report: a false or malformed answer has failed, a silent gateway leaves all undetermined.
function trouble(error) {
  if (error instanceof Canceled) return told("undetermined", "portal.answer.canceled");
  if (error instanceof Unreadable) return told("undetermined", "portal.answer.unreadable");
  if (error instanceof Unable) return unable();
  if (error instanceof Unreachable) {
    const reason = error.sentences[language] ?? error.message;
    return told("undetermined", "portal.answer.unreachable", { reason });
  }
  if (error instanceof Refusal) {
    if (error.code === "portal.answer.package.malformed") return told("failed", error.code, error.parameters);
    const reason = texts.say("portal.answer_malformed", { code: error.code });
    return told("failed", "portal.answer.failed", { reason });
  }
  console.error(error);
  return told("undetermined", "portal.answer.undetermined", { reason: String(error) });
}

function waiting(label, share, stop) {
  const bar = element("progress", share === null ? {} : { max: "1", value: String(share) });
  const cancel = element("button", { type: "button", class: "button" }, texts.say("portal.cancel"));
  cancel.addEventListener("click", () => stop.abort());
  at("progress").replaceChildren(element("p", {}, label), element("div", {}, bar, cancel));
  at("progress").hidden = false;
}

function hashing(name, done, size, stop) {
  if (stop.signal.aborted) return;
  if (done >= size) return waiting(texts.say("portal.asking"), null, stop);
  const amount = (bytes) => `${(bytes / 1e6).toLocaleString("en-US", { maximumFractionDigits: 1 })} MB`;
  const label = texts.say("portal.hashing", { name, done: amount(done), size: amount(size) });
  const bar = at("progress").querySelector("progress[max]");
  if (bar === null) return waiting(label, done / size, stop);
  bar.value = done / size;
  at("progress").querySelector("p").textContent = label;
}

// --- ways to ask --------------------------------------------------------------------------------------------------

const askText = (text) => ask((asking) => asking.text(text));
const askFile = (file) => ask((asking) => asking.file(file));

at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  askText(at("q").value);
});
// The page is complete before its script is ready, so a file may lie in the input already: it is taken up in the end.
function takeFile() {
  const [file] = at("file").files;
  if (file) askFile(file);
  at("file").value = "";
}
at("file").addEventListener("change", takeFile);
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    at("drop").classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) at("drop").classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) askFile(file);
  else if (event.dataTransfer.getData("text")) askText(event.dataTransfer.getData("text"));
});

function scanned(text) {
  at("q").value = text;
  askText(text);
}

function hint(code) {
  at("no-code").textContent = texts.say(code);
  at("no-code").hidden = false;
}

await prepared;
if (await canRead()) {
  at("code").disabled = false;
  at("code-label").hidden = false;
  at("camera").hidden = !navigator.mediaDevices?.getUserMedia;
} else {
  at("no-code").hidden = false;
}
at("code").addEventListener("change", async () => {
  const text = await readImage(at("code").files[0]);
  at("code").value = "";
  if (text === null) hint("portal.qr.nothing");
  else scanned(text);
});
at("camera").addEventListener("click", async () => {
  const stop = new AbortController();
  const video = element("video", { playsinline: true, muted: true });
  const cancel = element("button", { type: "button", class: "button" }, texts.say("portal.cancel"));
  cancel.addEventListener("click", () => stop.abort());
  at("scanner").replaceChildren(element("p", {}, texts.say("portal.qr.point")), video, element("p", {}, cancel));
  at("scanner").hidden = false;
  try {
    const text = await scan(video, stop.signal);
    if (text !== null) scanned(text);
  } catch {
    hint("portal.qr.no_camera");
  }
  at("scanner").hidden = true;
});

window.addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});

// --- the trust root -------------------------------------------------------------------------------------------------

at("paper").addEventListener("input", () => {
  const own = at("fingerprint").textContent.replace(/\s/g, "");
  const given = at("paper").value.toLowerCase().replace(/[\s:]/g, "");
  const same = given === own;
  at("same").textContent = given ? texts.say(same ? "portal.trust.same" : "portal.trust.different") : "";
  at("same").className = given ? (same ? "same" : "different") : "";
});

document.documentElement.classList.add("running");
document.documentElement.dataset.ready = "true";
takeFile();
try {
  // The fingerprint of the very bytes that the script will start from.
  const { fingerprint } = await trustRoot();
  at("fingerprint").textContent = fingerprint.match(/.{4}/g).join(" ");
} catch (error) {
  console.error(error);
}
if (!asked && at("q").value) askText(at("q").value);
