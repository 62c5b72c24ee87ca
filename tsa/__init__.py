"""RFC 3161: request, response, verify, policy (pure); client and authority (adapters)."""
