"""Every sentence a person reads (findings, errors, certificates, help), in zh and en, keyed by code."""
