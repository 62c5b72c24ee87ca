"""The capture browser with a person in it: clicks and keys go through the window as a person's would."""

from __future__ import annotations

import sys

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QDialog, QLineEdit, QWidget

from ui.capture_browser import program
from ui.capture_browser.__main__ import main
from ui.capture_browser.browser import Browser
from ui.capture_browser.flow import Reply, begin, pause, within

_PLACE = "(() => { const r = document.querySelector('%s').getBoundingClientRect(); return (r.x + r.width / 2) + ' ' + (r.y + r.height / 2); })()"


class Person:
    """Acts on the window."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.window = browser._window

    @property
    def surface(self) -> QWidget:
        proxy = self.window.current.view.focusProxy()
        assert proxy is not None
        return proxy

    async def page(self, end: str) -> None:
        """Wait for an address that ends so, and until it is shown."""
        for _ in range(200):
            if self.window.current.page.address.endswith(end) and not self.window.current.page.isLoading():
                await pause(300)
                return
            await pause(50)
        raise AssertionError(self.window.current.page.address)

    async def click(self, selector: str) -> None:
        """Click an element of the page."""
        place: Reply[object] = Reply()
        self.window.current.page.runJavaScript(_PLACE % selector, 0, place.give)
        x, y = (float(part) for part in str(await within(place, 5000)).split())
        QTest.mouseClick(
            self.surface, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(int(x), int(y))
        )
        await pause(200)

    async def type(self, text: str) -> None:
        """Type into what has the focus of the page."""
        QTest.keyClicks(self.surface, text)
        await pause(300)

    async def press(self, key: Qt.Key) -> None:
        QTest.keyClick(self.surface, key)
        await pause(300)

    async def go(self, address: str) -> None:
        """Type into the address bar."""
        self.window.address.selectAll()
        QTest.keyClicks(self.window.address, address)
        QTest.keyClick(self.window.address, Qt.Key.Key_Return)
        await pause(300)

    async def push(self, name: str) -> None:
        """Push a button of the window, or of the box above it, by its words."""
        for _ in range(100):
            box = self.window.findChild(QDialog)
            for button in (box or self.window).findChildren(QAbstractButton):
                if name in (button.text(), button.accessibleName()) and button.isVisible():
                    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
                    await pause(200)
                    return
            await pause(50)
        raise AssertionError(name)

    async def snapped(self, count: int) -> None:
        """Wait until so many snapshots are there."""
        for _ in range(200):
            if self.window.sign.snapshots >= count:
                return
            await pause(50)
        raise AssertionError(count)

    async def log_in(self, base: str) -> None:
        await self.page("/login")
        await self.click("input[name=user]")
        await self.press(Qt.Key.Key_End)
        await self.type("x")
        await self.press(Qt.Key.Key_Backspace)
        await self.click("input[type=password]")
        QTest.keyClick(self.surface, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        await self.type("correct horse")
        await self.press(Qt.Key.Key_Return)
        await self.page("/account")
        await self.push("快照")
        await self.snapped(1)
        await self.go("not an address")
        self.check_message("不是可以访问的网址")
        await self.go(f"{base}/popup.html")
        await self.page("/popped.html?link")
        await self.push("重新加载（F5）")
        await self.page("/popped.html?link")
        await self.push("完成取证")
        await self.push("取消")
        await self.push("完成取证")
        await self.push("完成取证")

    async def abandon(self, _base: str) -> None:
        await self.page("/login")
        await self.push("放弃")
        await self.push("放弃取证")

    async def look(self, _base: str) -> None:
        """Every control of the window has a name, and the address can be reached by keyboard."""
        await self.page("/login")
        for kind in (QAbstractButton, QLineEdit):
            for widget in self.window.findChildren(kind):
                if widget.isVisible() and widget.objectName() != "qt_toolbar_ext_button":
                    name = widget.accessibleName() or (
                        widget.text() if isinstance(widget, QAbstractButton) else ""
                    )
                    assert name, widget
        QTest.keyClick(self.window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
        await pause(100)
        assert QGuiApplication.focusObject() is self.window.address
        assert "录制中" in self.window.sign.accessibleName()
        await self.go("http://nowhere.invalid/")
        await self.page("about:blank")
        self.check_message("页面无法打开")
        await self.push("后退（Alt+←）")
        await self.page("/login")
        self.window.close()
        await self.push("完成取证")

    async def leave_open(self, base: str) -> None:
        """A box of the page stands when the capture is ended from outside."""
        await self.page("/login")
        await self.go(f"{base}/dialog.html")

    async def boxes_without_end(self, _base: str) -> None:
        """Five boxes are answered; then the window is the person's again."""
        for _ in range(5):
            await self.push("确定")
        self.check_message("接连弹出对话框")
        await self.push("完成取证")
        await self.push("完成取证")

    def check_message(self, part: str) -> None:
        assert part in self.window._message.text()
        assert self.window._message.isVisible()


class Driven(Browser):
    """Begins with a person's script."""

    def start(self) -> None:
        super().start()
        person = Person(self)
        base = self._plan.urls[0].rpartition("/")[0]
        begin(getattr(person, sys.argv[1])(base), self._on_failure)


setattr(program, "Browser", Driven)  # noqa: B010 - an import of the module, which mypy does not let us set
sys.exit(main())
