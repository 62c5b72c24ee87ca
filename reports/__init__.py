"""Certificates and reports: model in, PDF bytes out."""
