"""The desktop program: the only code that knows Qt. Rules of the domain live below, in ``services`` and ``verify``."""
