"""Widgets that several pages share. They know look and language, never services."""
