"""The program tries itself on this machine: every native part, then the whole main job in a temporary folder."""
