"""First start, unlocking, locking."""
