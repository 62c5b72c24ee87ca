"""Verification of a certificate PDF."""
