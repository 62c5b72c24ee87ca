"""OCSP stapling for a server context: Python's ssl has no call for it, OpenSSL below it has."""

from __future__ import annotations

import _ssl
import ctypes
import ssl
from typing import Any

_SET_STATUS_CALLBACK = 63  # SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB
_SET_STATUS_RESPONSE = 71  # SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_kept: list[Any] = []  # OpenSSL holds bare pointers: callbacks live as long as the process


def staple(context: ssl.SSLContext, response: bytes) -> None:
    """Let every handshake of a server's context carry this OCSP response (RFC 6066 §8).

    CPython keeps the ``SSL_CTX *`` right behind the object's head; the linked OpenSSL is reached through ``_ssl``.
    """
    library = ctypes.CDLL(_ssl.__file__)
    library.CRYPTO_malloc.restype = ctypes.c_void_p
    library.SSL_ctrl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
    library.SSL_CTX_callback_ctrl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]

    def give(connection: int, _argument: int | None) -> int:
        copy = library.CRYPTO_malloc(len(response), None, 0)  # freed by OpenSSL with the session
        ctypes.memmove(copy, response, len(response))
        library.SSL_ctrl(connection, _SET_STATUS_RESPONSE, len(response), copy)
        return 0  # SSL_TLSEXT_ERR_OK

    callback = _Callback(give)
    _kept.append(callback)
    pointer = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    library.SSL_CTX_callback_ctrl(pointer, _SET_STATUS_CALLBACK, ctypes.cast(callback, ctypes.c_void_p))
