"""Evidence Desk 证据台: judicial electronic evidence, sealed, timestamped, certified and verified. No Qt here."""

__version__ = "0.1.0"
