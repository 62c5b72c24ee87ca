"""The state machine of the court network: pure, its store behind a port, tested without the engine.

Nothing here may use a clock, randomness, floats, the order of sets, the locale or the text of exceptions: old blocks are
executed again for decades and have to give the same hashes.
"""
