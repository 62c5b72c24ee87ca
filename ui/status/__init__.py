"""The page ui.page.status."""
