"""The page ui.page.certify."""
