"""The documents: what they show is run, parsed or compared."""
