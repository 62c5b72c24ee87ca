"""Command lines, one module a command. Printing happens here and nowhere below."""
