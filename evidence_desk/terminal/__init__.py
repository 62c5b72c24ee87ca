"""What programs say on a terminal: output, progress, verdicts. Shared by the command line and the offline verifier."""
