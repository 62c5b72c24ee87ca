"""What is given to the page before its script is ready is taken up: nobody waits for a page that looks complete."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from tests.integration.portal.chromium import Chromium, Page
from tests.integration.portal.gateway import App, HandGateway, Serving, just_now
from tests.integration.portal.test_browser import READY, answered, file
from tests.unit.portal.answers import CONTENT

HELD = """
const own = window.fetch;
window.fetch = async (...given) => {
  if (String(given[0]).includes("/portal/texts/")) await new Promise((resolve) => { window.go = resolve; });
  return own(...given);
};
"""


def waiting(chromium: Chromium, gateway: HandGateway) -> Page:
    """A complete page whose script still waits for its sentences."""
    page = chromium.page()
    page.call("Page.addScriptToEvaluateOnNewDocument", source=HELD)
    page.open(gateway.url)
    page.wait("window.go !== undefined")
    assert not page.evaluate(READY)
    assert not page.evaluate("document.querySelector('#drop').checkVisibility()")
    return page


def test_a_file_chosen_early(chromium: Chromium, gateway: HandGateway, tmp_path: Path):
    page = waiting(chromium, gateway)
    page.choose("#file", file(tmp_path, "a.txt", CONTENT))
    page.evaluate("window.go()")
    assert answered(page) == "present"


def test_a_file_dropped_early(chromium: Chromium, gateway: HandGateway):
    page = waiting(chromium, gateway)
    taken = page.evaluate(
        "const data = new DataTransfer();"
        f"data.items.add(new File([{json.dumps(CONTENT.decode())}], 'x.txt'));"
        "!document.dispatchEvent(new DragEvent('drop', {dataTransfer: data, cancelable: true}))"
    )
    assert taken, "the browser would open it instead of the page"
    page.evaluate("window.go()")
    assert answered(page) == "present"


def test_a_number_asked_early(chromium: Chromium, gateway: HandGateway):
    page = waiting(chromium, gateway)
    digest = gateway.state.digests[1].hex()
    page.evaluate(
        f"document.querySelector('#q').value = '{digest}'; document.querySelector('#ask').requestSubmit()"
    )
    page.evaluate("window.go()")
    assert answered(page) == "present"
    assert page.evaluate("location.search") == ""


def test_a_file_chosen_before_the_script_came(chromium: Chromium, tmp_path: Path):
    gateway, arrived = HandGateway(just_now()), threading.Event()
    inner = gateway.app()

    def late(_: Request) -> Response:
        assert arrived.wait(60)
        script = (
            Path(__file__).parents[3] / "evidence_desk" / "court" / "node" / "portal" / "static" / "app.js"
        )
        return Response(script.read_bytes(), media_type="text/javascript")

    served = App(app=Starlette(routes=[Route("/portal/static/app.js", late), Mount("/", inner)]))
    with Serving(served):
        page = chromium.page()
        page.call("Page.navigate", url=served.url)
        page.wait("document.querySelector('#file') !== null")
        page.choose("#file", file(tmp_path, "a.txt", CONTENT))
        arrived.set()
        assert answered(page) == "present"
