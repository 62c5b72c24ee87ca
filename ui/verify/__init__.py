"""The page ui.page.verify."""
