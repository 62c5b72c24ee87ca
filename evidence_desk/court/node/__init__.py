"""A node of the court network: ABCI server, state machine, supervision, command line. An entry point: nothing imports it."""
