"""The embedded timestamp authority: issue, serials, clock guard, audit log, HTTP server."""
