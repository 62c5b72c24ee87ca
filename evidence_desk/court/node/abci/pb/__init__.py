"""Modules generated from the engine's proto files by generate.sh; never edited."""
