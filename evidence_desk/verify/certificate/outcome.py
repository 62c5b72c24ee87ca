"""Findings of the certificate verifier, made in one place."""

from __future__ import annotations

from evidence_desk.core.verdict import Dimension, Finding, Parameter, Status, Vouches


def integrity(check: str, status: Status, code: str, /, **parameters: Parameter) -> Finding:
    """A finding on what the file says; anyone can recompute it."""
    return Finding(
        dimension=Dimension.INTEGRITY, check=check, status=status, code=code, parameters=parameters
    )


def signer(
    check: str,
    status: Status,
    code: str,
    /,
    *,
    vouches: Vouches = Vouches.COMPUTATION,
    **parameters: Parameter,
) -> Finding:
    """A finding on who signed."""
    return Finding(
        dimension=Dimension.SIGNER,
        check=check,
        status=status,
        code=code,
        parameters=parameters,
        who_vouches=vouches,
    )
