"""The page: a form, the server's answer (for readers without script), what is not proven, the trust root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from evidence_desk.core.moment import format_moment
from evidence_desk.core.verdict import Finding, Status
from evidence_desk.court.node.portal.answer import Shown, number_of
from evidence_desk.court.node.portal.markup import Html, join, tag
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.search import FoundVerdict
from evidence_desk.court.protocol.verdict import CourtVerdict
from evidence_desk.texts import Language, has, sentence

STATIC: Final = "/portal/static"
_BEIJING: Final = timedelta(hours=8)
_LIMITS: Final = ("content", "presence", "time", "absence", "network", "script")
_TONES: Final = {Status.PASSED: "passed", Status.FAILED: "failed", Status.UNDETERMINED: "undetermined"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page in one language over one network."""

    language: Language
    trust: NetworkTrust
    fingerprint: str

    def say(self, code: str, **facts: str | int) -> str:
        """Sentence in the page's language."""
        return sentence(code, facts, self.language)

    def at(self, moment: datetime) -> str:
        """Beijing time, UTC behind it."""
        return say_moment(self.language, "portal.at")(moment)

    def render(self, typed: str, shown: Shown | None) -> str:
        """The whole document."""
        head = tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", f"{self.say('portal.title')} · {self.say('portal.product')}"),
            tag("link", rel="icon", href=f"{STATIC}/icon.svg", type="image/svg+xml"),
            tag("link", rel="stylesheet", href=f"{STATIC}/portal.css"),
            tag("script", type="module", src=f"{STATIC}/app.js"),
        )
        body = tag(
            "body",
            tag("a", self.say("portal.skip"), class_="skip", href="#check"),
            self._header(typed),
            self._demo(),
            tag(
                "main",
                self._form(typed),
                tag("section", self._answer(shown), id="answer", aria_live="polite"),
                self._limits(),
                self._trust(),
            ),
            tag("footer", self._offline()),
            data_language=self.language.value,
            data_chain=self.trust.chain_id,
        )
        lang = "zh-CN" if self.language is Language.ZH else "en"
        return "<!doctype html>\n" + tag("html", head, body, lang=lang).text

    # --- frame ------------------------------------------------------------------------------------------------

    def _header(self, typed: str) -> Html:
        other = Language.EN if self.language is Language.ZH else Language.ZH
        lang = "en" if other is Language.EN else "zh-CN"
        return tag(
            "header",
            tag(
                "div",
                tag("strong", self.say("portal.product"), class_="product"),
                tag("span", self.say("portal.subtitle"), class_="subtitle"),
            ),
            tag(
                "form",
                tag("input", type="hidden", name="lang", value=other.value),
                tag("input", type="hidden", name="q", value=typed) if typed else None,
                tag("button", self.say("portal.language"), class_="language", lang=lang, hreflang=lang),
                action="/",
                method="get",
            ),
            class_="top",
        )

    def _demo(self) -> Html | None:
        if not self.trust.demo:
            return None
        return tag(
            "p",
            tag("strong", self.say("portal.demo")),
            " ",
            self.say("portal.demo.why", chain=self.trust.chain_id),
            class_="demo",
            role="note",
        )

    def _form(self, typed: str) -> Html:
        drop = tag(
            "div",
            tag("p", self.say("portal.drop"), class_="drop-title"),
            tag("label", self.say("portal.drop.choose"), class_="button primary", for_="file"),
            tag("input", type="file", id="file", class_="visually-hidden"),
            tag("p", self.say("portal.drop.kinds"), class_="quiet"),
            tag("p", self.say("portal.drop.private"), class_="private"),
            id="drop",
            class_="drop scripted",
        )
        form = tag(
            "form",
            tag("input", type="hidden", name="lang", value=self.language.value),
            tag("label", self.say("portal.ask"), for_="q"),
            tag(
                "div",
                tag(
                    "input",
                    id="q",
                    name="q",
                    value=typed,
                    required=True,
                    maxlength="400",
                    autocomplete="off",
                    spellcheck="false",
                    autocapitalize="off",
                    enterkeyhint="search",
                    aria_describedby="hint",
                ),
                tag("button", self.say("portal.ask.button"), class_="button primary"),
                class_="row",
            ),
            tag("p", self.say("portal.ask.hint"), id="hint", class_="quiet"),
            id="ask",
            action="/",
            method="get",
            role="search",
        )
        codes = tag(
            "div",
            tag(
                "button",
                self.say("portal.qr.camera"),
                type="button",
                id="camera",
                class_="button",
                hidden=True,
            ),
            tag(
                "label",
                self.say("portal.qr.image"),
                class_="button",
                for_="code",
                id="code-label",
                hidden=True,
            ),
            tag("input", type="file", accept="image/*", id="code", class_="visually-hidden", disabled=True),
            tag("p", self.say("portal.qr.none"), id="no-code", class_="quiet", hidden=True),
            class_="codes scripted",
        )
        return tag(
            "section",
            tag("h1", self.say("portal.title")),
            tag("p", self.say("portal.lead"), class_="lead"),
            tag("noscript", tag("p", self.say("portal.script_off"), class_="warning")),
            drop,
            form,
            codes,
            tag("div", id="scanner", hidden=True),
            tag("div", id="progress", hidden=True),
            id="check",
        )

    def _limits(self) -> Html:
        return tag(
            "section",
            tag("h2", self.say("portal.limits")),
            tag("ul", *(tag("li", self.say(f"portal.limits.{name}")) for name in _LIMITS)),
            class_="limits",
        )

    def _trust(self) -> Html:
        named = self.trust.institutions
        nodes = [named.get(item.address, item.address.hex()) for item in self.trust.genesis.validators]
        return tag(
            "section",
            tag("h2", self.say("portal.trust")),
            tag("p", self.say("portal.trust.why")),
            tag(
                "dl",
                *_row(self.say("portal.trust.chain"), tag("code", self.trust.chain_id)),
                *_row(
                    self.say("portal.trust.fingerprint"),
                    tag("code", grouped(self.fingerprint), id="fingerprint", class_="digest"),
                ),
                *_row(self.say("portal.trust.genesis"), "、".join(nodes) if self._zh else ", ".join(nodes)),
            ),
            tag(
                "p",
                tag("label", self.say("portal.trust.compare"), for_="paper"),
                tag(
                    "input", id="paper", placeholder=self.say("portal.trust.compare.hint"), autocomplete="off"
                ),
                tag("output", id="same", for_="paper"),
                class_="compare scripted",
            ),
            tag(
                "p",
                tag(
                    "a", self.say("portal.trust.file"), href="/v1/trust/network.json", download="network.json"
                ),
            ),
            class_="trust",
        )

    def _offline(self) -> Html:
        return join(
            tag("h2", self.say("portal.offline")),
            tag("p", self.say("portal.offline.how")),
            tag("pre", tag("code", self.say("portal.offline.command"))),
            tag("p", self.say("portal.offline.ask"), class_="quiet"),
        )

    @property
    def _zh(self) -> bool:
        return self.language is Language.ZH

    # --- the server's answer ----------------------------------------------------------------------------------

    def _answer(self, shown: Shown | None) -> Html | None:
        if shown is None:
            return None
        facts = {**shown.facts}
        reason = facts.get("reason")
        if isinstance(reason, str):
            facts["reason"] = self._reason(shown, reason)
        label, value = shown.asked
        notes = [self.say("portal.note.server"), *(self.say(code, **about) for code, about in shown.notes)]
        return tag(
            "article",
            tag(
                "div",
                tag(
                    "p",
                    self.say(f"portal.outcome.{shown.outcome}"),
                    tag("span", self.say("portal.demo"), class_="mark") if self.trust.demo else None,
                    class_="outcome",
                ),
                tag("p", self.say(shown.code, **facts), class_="sentence"),
                class_=f"headline {shown.outcome}",
            ),
            *(tag("p", note, class_="warning") for note in notes),
            tag("dl", *_row(self.say(label), tag("code", value, class_="digest"))),
            self._checks(shown),
            *(self._record(record) for record in shown.records),
            class_="answer",
        )

    def _reason(self, shown: Shown, code: str) -> str:
        if shown.reason is not None:
            return self._finding_text(shown.reason)
        return self.say(code) if has(code, self.language) else code

    def _finding_text(self, item: Finding) -> str:
        return sentence(item.code, item.parameters, self.language)

    def _checks(self, shown: Shown) -> Html | None:
        if not shown.findings and not shown.lookups:
            return None
        listed = [self._check(item) for item in shown.findings]
        listed += [self._check(item, self.say(f"portal.kind.{kind}")) for kind, item in shown.lookups]
        return join(tag("h3", self.say("portal.checks.lookup")), tag("ul", *listed, class_="checks"))

    def _check(self, item: Finding, about: str = "") -> Html:
        status = tag("span", self.say(f"portal.status.{item.status.value}"), class_="status")
        told = self._finding_text(item)
        return tag(
            "li", status, tag("span", f"{about}：{told}" if about else told), class_=_TONES[item.status]
        )

    def _record(self, record: FoundVerdict) -> Html:
        court = record.court
        findings = (*record.findings, *(court.findings if court else ()))
        proven = record.counts and court is not None and court.anchored_at is not None
        why = "unproven" if record.counts else "failed"
        return tag(
            "section",
            tag("h3", f"{self.say('portal.record')} {number_of(record)}"),
            tag("dl", *self._facts(record, court))
            if proven and court
            else tag("p", self.say(f"portal.record.{why}"), class_="warning"),
            tag("h4", self.say("portal.checks")),
            tag("ul", *(self._check(item) for item in findings), class_="checks"),
            class_="record",
        )

    def _facts(self, record: FoundVerdict, court: CourtVerdict) -> list[Html]:
        leaf = record.leaf
        kind = "" if leaf is None else leaf.type.value
        named = f"portal.record.type.{kind}"
        other = self.say("portal.record.type.other", type=kind)
        signed = sum(item.signed for item in court.signers)
        rows = [
            *_row(self.say("portal.record.type"), self.say(named) if has(named, self.language) else other),
            *_row(
                self.say("portal.record.anchored"), self.at(court.anchored_at) if court.anchored_at else ""
            ),
            *_row(self.say("portal.record.height"), str(court.height)),
            *_row(self.say("portal.record.block"), tag("code", court.block_hash.hex(), class_="digest")),
            *_row(self.say("portal.record.leaf"), tag("code", record.leaf_hash.hex(), class_="digest")),
            *_row(
                self.say("portal.signers"),
                self.say("portal.signers.summary", signed=signed, count=len(court.signers)),
            ),
        ]
        for item in court.signers:
            name = item.institution or self.say("portal.signers.unnamed", address=item.address.hex()[:8])
            state = self.say(f"portal.signers.{'signed' if item.signed else 'absent'}")
            rows += _row(name, state)
        return rows


def say_moment(language: Language, code: str = "portal.at.short") -> Callable[[datetime], str]:
    """Moments in a language: Beijing time; with ``portal.at`` UTC behind it."""

    def say(moment: datetime) -> str:
        utc = format_moment(moment)
        beijing = format_moment(moment + _BEIJING).replace("T", " ")[:19]
        return sentence(code, {"beijing": beijing, "utc": utc}, language)

    return say


def grouped(digest: str) -> str:
    """Hexadecimal digits in groups of four, to be compared by eye."""
    return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))


def _row(label: str, value: Html | str) -> tuple[Html, Html]:
    return tag("dt", label), tag("dd", value)
