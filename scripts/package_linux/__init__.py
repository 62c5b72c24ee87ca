"""The Linux packages: what goes in (`contents`), how they are made (`__main__`, `debian`)."""
