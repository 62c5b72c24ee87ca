"""Algorithms by OID: international and guomi suites, DER, X.509 and CMS readers. No policy here."""
