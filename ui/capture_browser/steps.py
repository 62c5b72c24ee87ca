"""The person's steps on a page: what was clicked, that something was typed, what was sent. Never what was typed.

The watching script runs in a world of its own, where the page's scripts reach neither it nor the way out (`_WAY`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from evidence_desk.core.capture.events import Deed, clean
from ui.capture_browser.observer import Observer, Params, Target

MAX_STEPS: Final = 20_000
_WORLD: Final = "evidence-desk-steps"
_WAY: Final = "evidenceDeskStep"
_LONGEST: Final = 20_000
_DEEDS: Final = frozenset({Deed.CLICK, Deed.TYPE, Deed.CHOOSE, Deed.SUBMIT, Deed.KEY})

_SCRIPT: Final = """(() => {
const say = (deed, target) => globalThis.evidenceDeskStep(JSON.stringify([deed, target]));
const cut = text => (text || "").replace(/\\s+/g, " ").trim().slice(0, 120);
const typed = item => item.isContentEditable || item.tagName === "TEXTAREA" || item.tagName === "SELECT"
  || (item.tagName === "INPUT" && !["button", "submit", "reset", "image"].includes(item.type));
const named = item => {
  const label = item.getAttribute("aria-label") || item.getAttribute("title") || item.getAttribute("alt");
  if (label) return cut(label);
  if (item.labels && item.labels.length) return cut(item.labels[0].innerText);
  if (typed(item)) return cut(item.getAttribute("placeholder") || item.getAttribute("name"));
  if (item.tagName === "INPUT") return cut(item.value);
  return cut(item.innerText);
};
const told = item => {
  let text = item.tagName.toLowerCase();
  if (item.type && typeof item.type === "string" && item.tagName !== "A") text += "[" + cut(item.type) + "]";
  if (item.id) text += "#" + cut(item.id);
  const name = named(item);
  if (name) text += " “" + name + "”";
  if (item.tagName === "A" && item.href) text += " → " + String(item.href).slice(0, 2000);
  return text;
};
const first = event => { const item = event.composedPath()[0]; return item instanceof Element ? item : null; };
let last = null;
const listen = (kind, deal) => addEventListener(kind, event => {
  const item = first(event);
  if (event.isTrusted && item) deal(event, item);
}, {capture: true, passive: true});
listen("click", (_, item) =>
  say("click", told(item.closest("a, button, input, select, textarea, label, summary, [role]") || item)));
listen("input", (_, item) => { if (typed(item) && item !== last && !["checkbox", "radio", "file"].includes(item.type) && item.tagName !== "SELECT") { last = item; say("type", told(item)); } });
listen("focusout", () => { last = null; });
listen("change", (_, item) => { if (["checkbox", "radio", "file"].includes(item.type) || item.tagName === "SELECT") say("choose", told(item)); });
listen("submit", (_, item) => say("submit", "form" + (item.id ? "#" + cut(item.id) : "") + " → " + String(item.action).slice(0, 2000)));
listen("keydown", (event, item) => { if (["Enter", "Escape"].includes(event.key) && !event.repeat) say("key", event.key + " " + told(item)); });
})()"""


class Steps:
    """Watches every page that is observed from now on.

    Args:
        observer: whose pages are watched.
        took: told (Chromium's id of the page, deed, target).
    """

    def __init__(self, observer: Observer, took: Callable[[str, Deed, str], None]) -> None:
        self._observer, self._took = observer, took
        observer.attached.connect(self._on_attached)
        observer.observed.connect(self._on_observed)

    def _on_attached(self, target: Target) -> None:
        if target.type in ("page", "iframe"):
            way = {"name": _WAY, "executionContextName": _WORLD}
            self._observer.tell("Runtime.addBinding", way, target.session)
            script = {"source": _SCRIPT, "worldName": _WORLD}
            self._observer.tell("Page.addScriptToEvaluateOnNewDocument", script, target.session)

    def _on_observed(self, method: str, params: Params, session: str) -> None:
        target = self._observer.targets.get(session)
        if method != "Runtime.bindingCalled" or params.get("name") != _WAY or target is None:
            return
        try:
            deed, told = json.loads(params["payload"][:_LONGEST])
            deed = Deed(deed)
        except (ValueError, TypeError):
            return
        if deed in _DEEDS and isinstance(told, str):
            self._took(target.id, deed, clean(told))
