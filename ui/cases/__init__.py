"""The page ui.page.cases."""
