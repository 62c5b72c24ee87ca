"""Builds the Windows package on Linux: pinned inputs in, ``dist/EvidenceDesk-VERSION-setup.exe`` and the small verifier out.

Run as ``python -m scripts.package_windows``; nothing of it is part of the product.
"""
