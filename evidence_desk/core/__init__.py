"""Pure domain: digests, statement, leaf, log, checkpoint, time record, proof, package, verdict, job, ports."""
