"""Composition root of desk and command line: the only package that knows every concrete class."""
