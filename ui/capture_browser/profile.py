"""The profile of one capture: off the record, without cache, cookies or permissions of earlier ones."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QByteArray
from PySide6.QtNetwork import QSsl, QSslCertificate
from PySide6.QtWebEngineCore import QWebEngineProfile, QWebEngineProfileBuilder, QWebEngineSettings

from evidence_desk.core.capture.plan import CapturePlan

_Attribute = QWebEngineSettings.WebAttribute
_SETTINGS: Final = {
    _Attribute.JavascriptEnabled: True,
    _Attribute.JavascriptCanOpenWindows: True,
    _Attribute.JavascriptCanAccessClipboard: False,
    _Attribute.JavascriptCanPaste: False,
    _Attribute.ErrorPageEnabled: False,  # what the browser itself would paint is nothing the site said
    _Attribute.PluginsEnabled: False,
    _Attribute.PdfViewerEnabled: False,  # a PDF is downloaded, byte for byte
    _Attribute.ScreenCaptureEnabled: False,
    _Attribute.DnsPrefetchEnabled: False,
    _Attribute.HyperlinkAuditingEnabled: False,
    _Attribute.NavigateOnDropEnabled: False,
    _Attribute.AllowRunningInsecureContent: False,
    _Attribute.LocalContentCanAccessRemoteUrls: False,
    _Attribute.LocalContentCanAccessFileUrls: False,
    _Attribute.WebRTCPublicInterfacesOnly: True,
    _Attribute.FullScreenSupportEnabled: True,  # asked for and refused, rather than missing
    _Attribute.BackForwardCacheEnabled: False,
    _Attribute.PrintElementBackgrounds: True,
}


def make_profile(plan: CapturePlan) -> QWebEngineProfile:
    """A fresh profile; keep the reference as long as pages live."""
    builder = QWebEngineProfileBuilder()
    builder.setHttpCacheType(QWebEngineProfile.HttpCacheType.NoCache)
    builder.setPersistentCookiesPolicy(QWebEngineProfile.PersistentCookiesPolicy.NoPersistentCookies)
    builder.setPersistentPermissionsPolicy(QWebEngineProfile.PersistentPermissionsPolicy.AskEveryTime)
    authorities = [QSslCertificate(QByteArray(der), QSsl.EncodingFormat.Der) for der in plan.extra_ca]
    if authorities:
        builder.setAdditionalTrustedCertificates(authorities)
    profile = builder.createProfile("")
    profile.setHttpAcceptLanguage(plan.language)
    settings = profile.settings()
    for attribute, value in _SETTINGS.items():
        settings.setAttribute(attribute, value)
    settings.setUnknownUrlSchemePolicy(QWebEngineSettings.UnknownUrlSchemePolicy.DisallowUnknownUrlSchemes)
    return profile
