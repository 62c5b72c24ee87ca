"""The three users of the desktop program, played on the real thing under Xvfb."""
