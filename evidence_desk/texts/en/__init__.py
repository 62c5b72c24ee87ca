"""Sentences, en: one module an area, each with SENTENCES (code → text)."""
