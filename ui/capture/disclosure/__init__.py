"""Disclosure copy 披露副本 of a capture: choose, look at what it comes to, make it."""
