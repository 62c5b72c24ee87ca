"""The only door of a node: the HTTP API for desks and the portal for people. Only it talks to the engine's RPC.

It believes neither its callers nor its own engine: what it serves it has light-verified against its network file.
"""
