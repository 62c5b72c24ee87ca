"""The page ui.page.seal."""
