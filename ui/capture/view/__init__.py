"""The view of a captured exhibit: pages, requests, certificates, differences, log, machine, files. Nothing of it is run."""
