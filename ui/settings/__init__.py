"""The page ui.page.settings."""
