"""Cookies and storage: what sites left in the fresh profile, for ``cookies.json`` and ``storage.json``. Secrets of the person."""

from __future__ import annotations

from typing import Any, Final

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.capture.events import clean
from ui.capture_browser.observer import Observer, Params

VERSION: Final = 1
_VALUE: Final = 1 << 20
_ITEMS: Final = 5000
_ORIGINS: Final = 500


class Harvest:
    """Looks at storage before each page is left, at cookies at the end."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._storage: dict[str, dict[str, JSON]] = {}

    async def look(self, target: str) -> None:
        """Note what the origins of a page and of its frames store; what they stored last counts."""
        own = self._observer.session_of(target)
        for item in list(self._observer.targets.values()):
            if item.session == own or item.type == "iframe":
                await self._look_in(item.session)

    async def cookies(self) -> bytes:
        """``cookies.json``: all cookies of the capture, values too."""
        for item in list(self._observer.targets.values()):
            if item.type == "page":
                found = await self._observer.call("Network.getAllCookies", {}, item.session)
                if found is not None:
                    return encode({"v": VERSION, "cookies": [_cookie(one) for one in found["cookies"]]})
        return encode({"v": VERSION, "cookies": None})

    def storage(self) -> bytes:
        """``storage.json``: by origin, what stood in local and session storage, and the names of databases."""
        return encode({"v": VERSION, "origins": dict[str, JSON](self._storage)})

    async def _look_in(self, session: str) -> None:
        tree = await self._observer.call("Page.getFrameTree", {}, session)
        origins = sorted(_origins(tree["frameTree"])) if tree is not None else []
        for origin in origins:
            if len(self._storage) >= _ORIGINS and origin not in self._storage:
                continue
            kept = {
                "local": await self._items(session, origin, local=True),
                "session": await self._items(session, origin, local=False),
                "databases": await self._databases(session, origin),
            }
            if any(kept.values()) or origin in self._storage:
                self._storage[origin] = kept

    async def _items(self, session: str, origin: str, *, local: bool) -> JSON:
        storage = {"securityOrigin": origin, "isLocalStorage": local}
        found = await self._observer.call("DOMStorage.getDOMStorageItems", {"storageId": storage}, session)
        entries: list[Any] = [] if found is None else found["entries"][:_ITEMS]
        return {clean(name, 4096): clean(value, _VALUE) for name, value in entries}

    async def _databases(self, session: str, origin: str) -> JSON:
        given = {"securityOrigin": origin}
        found = await self._observer.call("IndexedDB.requestDatabaseNames", given, session)
        return [] if found is None else [clean(name, 500) for name in found["databaseNames"][:500]]


def _origins(tree: Params) -> set[str]:
    origin = tree["frame"].get("securityOrigin", "")
    found = {origin} if origin.startswith(("http://", "https://")) else set()
    for child in tree.get("childFrames", []):
        found |= _origins(child)
    return found


def _cookie(cookie: Params) -> JSON:
    expires = cookie.get("expires", -1)
    return {
        "name": clean(cookie["name"], 5000), "value": clean(cookie["value"], 5000),
        "domain": clean(cookie["domain"], 500), "path": clean(cookie["path"], 2000),
        "expires": None if cookie.get("session", expires < 0) else round(expires * 1000),
        "http_only": bool(cookie.get("httpOnly")), "secure": bool(cookie.get("secure")),
        "same_site": clean(cookie.get("sameSite", ""), 20),
    }  # fmt: skip
