"""The page Capture 网页取证: pages recorded by a browser of its own, sealed, looked at again."""
