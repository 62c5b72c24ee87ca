"""Prints a case as one bundle 卷宗 for filing: catalog, exhibits, certificates, numbered through, in one PDF.

A printed copy is a copy: every page says so, and the digests on the title pages say of what.
"""

from reports.bundle.printer import PdfBundlePrinter

__all__ = ["PdfBundlePrinter"]
