"""The page Seal 存证: files dropped, queued, sealed; ends at certificate and package."""
