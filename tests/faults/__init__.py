"""
Faults, chaos and ends: real programs against a receiver that misbehaves.

`python -m tests.faults --help` runs them and prints tables; `test_short.py` is the part that every test run includes.

- `receiver`, `conducts`, `reading`, `tally`: the receiver, how it misbehaves, and what it counts
- `program`, `app`, `ways`, `endings`, `poison`, `troubles`, `ledger`: the application, run as a process of its own
- `table`, `run`, `verdict`: the faults, one row each
- `chaos`, `exits`, `flushes`, `prefork`: the runs that are not rows of that table
"""
