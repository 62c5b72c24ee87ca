"""The application's ABCI 2.0 side: wire, types, server."""
