"""Pure verification: bytes and trust in, findings out. No vault, no network, no Qt."""
