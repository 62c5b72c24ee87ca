"""The court network: protocol, node and the desk's client."""
