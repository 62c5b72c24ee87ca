"""``make release-files``: what goes beside the packages in dist/: component lists, license texts, notes, the signed list of it all."""
