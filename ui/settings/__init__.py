"""The page Settings 设置."""
