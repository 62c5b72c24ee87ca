"""The error tree of the whole product, below everything else.

An error carries a ``code`` and ``parameters``; the sentences (what happened, what to do next) live in
``evidence_desk.texts`` under that code, in every language. Parameters are short facts, never evidence content.
The first level under `EvidenceDeskError` says who can do something about it.
"""

from typing import ClassVar


class EvidenceDeskError(Exception):
    """Base of every error we raise on purpose.

    Attributes:
        code: key of the sentences in ``texts``, for example ``"vault.wrong_passphrase"``.
        parameters: facts to fill into the sentences.
        exit_status: process exit status (sysexits.h), see docs/spec/exit-codes.md.
    """

    exit_status: ClassVar[int] = 70

    def __init__(self, code: str, /, **parameters: str | int) -> None:
        super().__init__(code, parameters)
        self.code = code
        self.parameters: dict[str, str | int] = parameters

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.code} ({facts})" if facts else self.code


class UserError(EvidenceDeskError):
    """The person at the keyboard can put it right: wrong argument, wrong file, wrong passphrase."""

    exit_status = 64


class UsageError(UserError):
    """A command or parameter that cannot be meant (EX_USAGE)."""


class MalformedError(UserError):
    """Bytes from outside that are not what they claim to be; raised by every strict parser (EX_DATAERR)."""

    exit_status = 65


class UnreadableError(UserError):
    """An input that is missing, unreadable, or changed while it was read (EX_NOINPUT)."""

    exit_status = 66


class NotFoundError(UserError):
    """A number, digest or name that nothing here answers to (EX_NOINPUT)."""

    exit_status = 66


class PermissionDeniedError(UserError):
    """Wrong passphrase or missing right (EX_NOPERM)."""

    exit_status = 77


class HostError(EvidenceDeskError):
    """This machine is the matter: full disk, read-only folder, locked file, clock (EX_IOERR)."""

    exit_status = 74


class BusyError(HostError):
    """Another process holds what we need; try again (EX_TEMPFAIL)."""

    exit_status = 75


class ConfigurationError(HostError):
    """A missing library, a store of a newer version, settings that contradict themselves (EX_CONFIG)."""

    exit_status = 78


class RemoteError(EvidenceDeskError):
    """Another machine is silent, slow or wrong (EX_UNAVAILABLE)."""

    exit_status = 69


class IntegrityError(EvidenceDeskError):
    """Data that should be ours and right is not: raised when writing, a *finding* when verifying."""

    exit_status = 1


class BugError(EvidenceDeskError):
    """A state that our own code must not reach (EX_SOFTWARE)."""

    exit_status = 70


class CanceledError(EvidenceDeskError):
    """The person canceled a job; nothing half-done is left."""

    exit_status = 130
