"""A page under capture: what it asks for beside its own content is refused or answered, and told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtNetwork import QAuthenticator
from PySide6.QtWebEngineCore import (
    QWebEngineCertificateError,
    QWebEngineClientCertificateSelection,
    QWebEngineDesktopMediaRequest,
    QWebEngineFileSystemAccessRequest,
    QWebEngineFullScreenRequest,
    QWebEngineLoadingInfo,
    QWebEngineNavigationRequest,
    QWebEngineNewWindowRequest,
    QWebEnginePage,
    QWebEnginePermission,
    QWebEngineProfile,
    QWebEngineRegisterProtocolHandlerRequest,
    QWebEngineSettings,
    QWebEngineWebAuthUxRequest,
)

from evidence_desk.core.capture.events import (
    Asked,
    CertificateRefused,
    Crashed,
    Denied,
    Dialog,
    Event,
    Loaded,
    Navigated,
    Refused,
    clean,
)

EMPTY: Final = "about:blank"
_ALLOWED: Final = frozenset({"http", "https", "about", "blob", "data"})
_LEAVE: Final = "Are you sure you want to leave this page? Changes that you made may not be saved."  # Chromium's own words
_HTTP: Final = QWebEngineLoadingInfo.ErrorDomain.HttpStatusCodeDomain
_WHY: Final = {
    QWebEngineNavigationRequest.NavigationType.LinkClickedNavigation: "link",
    QWebEngineNavigationRequest.NavigationType.TypedNavigation: "typed",
    QWebEngineNavigationRequest.NavigationType.FormSubmittedNavigation: "form",
    QWebEngineNavigationRequest.NavigationType.BackForwardNavigation: "back-forward",
    QWebEngineNavigationRequest.NavigationType.ReloadNavigation: "reload",
    QWebEngineNavigationRequest.NavigationType.RedirectNavigation: "redirect",
}


class Answers(Protocol):
    """Who answers a page's boxes: a person, or the program by rule."""

    def confirm(self, origin: str, text: str, *, leaving: bool) -> bool:
        """Whether a confirm or before-unload box is accepted."""
        ...

    def alert(self, origin: str, text: str) -> None:
        """An alert was shown."""
        ...

    def prompt(self, origin: str, text: str, default: str) -> str | None:
        """Text for a prompt, None to cancel."""
        ...

    def credentials(self, url: str, realm: str) -> tuple[str, str] | None:
        """Name and password for HTTP authentication, None to go without."""
        ...

    @property
    def by_user(self) -> bool:
        """Whether a person answers."""
        ...


class Rule:
    """Nobody is asked: boxes are closed without consent, pages may be left."""

    by_user: Final = False

    def confirm(self, _origin: str, _text: str, *, leaving: bool) -> bool:
        """Only leaving a page is accepted."""
        return leaving

    def alert(self, origin: str, text: str) -> None:
        """Nothing to do."""

    def prompt(self, _origin: str, _text: str, _default: str) -> str | None:
        """Canceled."""
        return None

    def credentials(self, _url: str, _realm: str) -> tuple[str, str] | None:
        """None are known."""
        return None


class CapturePage(QWebEnginePage):
    """One page; what happens to it goes to `say`."""

    def __init__(
        self,
        profile: QWebEngineProfile,
        tab: int,
        say: Callable[[Event], None],
        answers: Answers,
        *,
        accept_certificates: bool,
    ) -> None:
        super().__init__(profile)
        self.tab = tab
        self._say, self._answers = say, answers
        self._accept_certificates = accept_certificates
        self.crashed = self.refused_certificate = self.http_error = False
        self.open_window: Callable[[CapturePage, QWebEngineNewWindowRequest], None] = lambda _page, _request: (
            None
        )
        self.loadingChanged.connect(self._on_loading)
        self.navigationRequested.connect(self._on_navigation)
        self.newWindowRequested.connect(lambda request: self.open_window(self, request))
        self.certificateError.connect(self._on_certificate_error)
        self.permissionRequested.connect(self._on_permission)
        self.authenticationRequired.connect(self._on_authentication)
        self.renderProcessTerminated.connect(self._on_terminated)
        self.fullScreenRequested.connect(self._on_full_screen)
        self.prints = 0
        """How often it wanted to print."""
        self.printRequested.connect(self._on_print)
        self.printRequestedByFrame.connect(self._on_print)
        self.registerProtocolHandlerRequested.connect(self._on_protocol_handler)
        self.desktopMediaRequested.connect(self._on_desktop_media)
        self.selectClientCertificate.connect(self._on_client_certificate)
        self.webAuthUxRequested.connect(self._on_passkey)
        self.fileSystemAccessRequested.connect(self._on_file_system)

    @property
    def address(self) -> str:
        """Where it is."""
        return shown(self.url())

    def may_open_windows(self, may: bool) -> None:
        """Whether its scripts may, without the person's doing; again so when another page comes."""
        self.settings().setAttribute(QWebEngineSettings.WebAttribute.JavascriptCanOpenWindows, may)

    def chooseFiles(
        self, _mode: QWebEnginePage.FileSelectionMode, _old: Sequence[str], _types: Sequence[str]
    ) -> list[str]:
        """No file of this machine goes into a capture."""
        self._deny(Denied.FILE_CHOOSER)
        return []

    def javaScriptAlert(self, origin: QUrl | str, text: str) -> None:
        """Shown to a person, else only told."""
        self._answers.alert(shown(origin), text)
        self._dialog("alert", text, "closed")

    def javaScriptConfirm(self, origin: QUrl | str, text: str) -> bool:
        """A confirm box, or one before leaving the page."""
        leaving = text in (_LEAVE, QCoreApplication.translate("QWebEnginePage", _LEAVE))
        accepted = self._answers.confirm(shown(origin), text, leaving=leaving)
        self._dialog("before-unload" if leaving else "confirm", text, "accepted" if accepted else "canceled")
        return accepted

    def javaScriptPrompt(self, origin: QUrl | str, text: str, default: str) -> tuple[bool, str]:
        """What is typed there is not told."""
        answer = self._answers.prompt(shown(origin), text, default)
        self._dialog("prompt", text, "canceled" if answer is None else "answered")
        return answer is not None, answer or ""

    def _dialog(self, form: str, text: str, answer: str) -> None:
        self._say(
            Dialog(
                tab=self.tab, url=self.address, form=form, text=clean(text, 1000), answer=answer,
                by_user=self._answers.by_user,
            )
        )  # fmt: skip

    def _deny(self, what: Denied, detail: str = "", url: QUrl | None = None) -> None:
        place = self.address if url is None else shown(url)
        self._say(Refused(tab=self.tab, what=what, url=place, detail=clean(detail, 500)))

    def _on_loading(self, info: QWebEngineLoadingInfo) -> None:
        match info.status():
            case QWebEngineLoadingInfo.LoadStatus.LoadStartedStatus:
                self.crashed = self.refused_certificate = self.http_error = False
                self.may_open_windows(True)
            case QWebEngineLoadingInfo.LoadStatus.LoadSucceededStatus:
                self._loaded(info, "")
            case QWebEngineLoadingInfo.LoadStatus.LoadStoppedStatus:
                self._loaded(info, "ERR_ABORTED")
            case QWebEngineLoadingInfo.LoadStatus.LoadFailedStatus if info.errorDomain() is _HTTP:
                self.http_error = True  # a page all the same, and shown
                self._loaded(info, "")
            case QWebEngineLoadingInfo.LoadStatus.LoadFailedStatus:
                self._loaded(info, info.errorString() or str(info.errorCode()))

    def _loaded(self, info: QWebEngineLoadingInfo, error: str) -> None:
        url = shown(info.url())
        if url != EMPTY:
            title = "" if error else clean(self.title(), 500)
            self._say(Loaded(tab=self.tab, url=url, title=title, error=clean(error, 200)))

    def _on_navigation(self, request: QWebEngineNavigationRequest) -> None:
        scheme = request.url().scheme().lower()
        if scheme not in _ALLOWED:
            request.reject()
            self._deny(Denied.LOCAL_FILE if scheme == "file" else Denied.PROTOCOL, scheme, request.url())
        elif request.isMainFrame() and shown(request.url()) != EMPTY:
            why = _WHY.get(request.navigationType(), "other")
            self._say(Navigated(tab=self.tab, url=shown(request.url()), why=why))

    def _on_certificate_error(self, error: QWebEngineCertificateError) -> None:
        accepted = self._accept_certificates and error.isOverridable()
        if accepted:
            error.acceptCertificate()
        else:
            error.rejectCertificate()
            self.refused_certificate = self.refused_certificate or error.isMainFrame()
        self._say(
            CertificateRefused(
                url=shown(error.url()), host=clean(error.url().host(), 300), error=error.type().name,
                main_frame=error.isMainFrame(), accepted=accepted,
                chain=tuple(bytes(item.toPem().data()).decode("ascii", "replace") for item in error.certificateChain()[:10]),
            )
        )  # fmt: skip

    def _on_permission(self, permission: QWebEnginePermission) -> None:
        permission.deny()
        self._deny(Denied.PERMISSION, permission.permissionType().name, permission.origin())

    def _on_authentication(self, url: QUrl, authenticator: QAuthenticator) -> None:
        given = self._answers.credentials(shown(url), authenticator.realm())
        if given is not None:
            authenticator.setUser(given[0])
            authenticator.setPassword(given[1])
        realm = clean(authenticator.realm(), 500)
        self._say(Asked(tab=self.tab, url=shown(url), realm=realm, answered=given is not None))

    def _on_terminated(self, status: QWebEnginePage.RenderProcessTerminationStatus, code: int) -> None:
        if status is QWebEnginePage.RenderProcessTerminationStatus.NormalTerminationStatus:
            return
        self.crashed = True
        self._say(Crashed(tab=self.tab, url=self.address, status=status.name, exit_code=abs(code)))

    def _on_full_screen(self, request: QWebEngineFullScreenRequest) -> None:
        request.reject()
        if request.toggleOn():
            self._deny(Denied.FULL_SCREEN)

    def _on_print(self, _frame: object = None) -> None:
        self.prints += 1
        self._deny(Denied.PRINT)

    def _on_protocol_handler(self, request: QWebEngineRegisterProtocolHandlerRequest) -> None:
        request.reject()
        self._deny(Denied.PROTOCOL_HANDLER, request.scheme())

    def _on_desktop_media(self, request: QWebEngineDesktopMediaRequest) -> None:
        request.cancel()
        self._deny(Denied.SCREEN)

    def _on_client_certificate(self, selection: QWebEngineClientCertificateSelection) -> None:
        selection.selectNone()
        self._deny(Denied.CLIENT_CERTIFICATE, selection.host().host())

    def _on_passkey(self, request: QWebEngineWebAuthUxRequest) -> None:
        request.cancel()
        self._deny(Denied.PASSKEY, request.relyingPartyId())

    def _on_file_system(self, request: QWebEngineFileSystemAccessRequest) -> None:
        request.reject()
        self._deny(Denied.FILE_SYSTEM)


def shown(url: QUrl | str) -> str:
    """An address as events hold it; passwords in it are left out."""
    address = QUrl(url)
    if address.password():
        address.setPassword("")
    text = bytes(address.toEncoded().data()).decode("ascii", "replace")
    return clean(text, 200 if address.scheme() == "data" else 8192)
