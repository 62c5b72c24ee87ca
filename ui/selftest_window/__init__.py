"""The window's part of the self-test: a process of its own, started by ``evidence-desk selftest``."""
