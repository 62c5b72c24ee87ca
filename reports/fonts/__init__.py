"""Fonts: which one prints a character, subsets, embedding."""
