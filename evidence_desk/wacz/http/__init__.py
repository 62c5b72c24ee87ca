"""HTTP/1.1, HTTP/2 and WebSocket read from recorded bytes into exchanges. Pure; see docs/spec/capture-http.md."""
