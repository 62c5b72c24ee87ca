"""Use cases, one verb a module; they take ports of `core.ports` and know no concrete adapter."""
