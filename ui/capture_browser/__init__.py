"""The capture browser: a process of its own that shows pages and reports what it sees."""
