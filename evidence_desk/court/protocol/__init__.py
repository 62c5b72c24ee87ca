"""Formats of the court network with their own verification, shared by desk, node and verifier.

Pure: bytes in, values or findings out. No network, no files, no clock.
"""
