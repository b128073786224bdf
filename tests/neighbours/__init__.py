"""
Installed next to other instrumentations: our records, their spans and what the application gets stay as they are.

``python -m tests.neighbours NAME`` tells of one of them, in an environment in which it is installed.
"""
