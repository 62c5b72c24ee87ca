"""Figures of `make bench`: each against a named peer or a stated limit, measured in the same run. No asserts on time."""
