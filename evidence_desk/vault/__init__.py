"""The encrypted store: SQLCipher database, age objects, wrapped keys, backup. Adapter of `core.ports`."""
