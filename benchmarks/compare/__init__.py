"""
What instrumentations cost, side by side in one run: ``nox -s bench``. docs/benchmarks.md says how to read it.

A conductor (`__main__`) starts one long-lived `worker` for each contender, in that contender's own environment, and
lets one of them work at a time. The model provider is an object in the worker's memory (`answers`); what contenders
export goes to a `receiver` in a process of its own.
"""
