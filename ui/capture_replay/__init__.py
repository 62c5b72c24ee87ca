"""The replay browser: a process of its own that shows the pages of a stored capture, from the capture alone."""
