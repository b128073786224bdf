"""
From the journal to the receiver: batches, answers, pace, the thread that does it all, and its end.

Importing this imports neither `http.client` nor `ssl` nor the export: the thread that sends does.
"""

from .._journal import Stats
from ._connection import ConnectionReport, test_connection
from ._lifetime import end_open_calls
from ._pipeline import Pipeline

__all__ = ["ConnectionReport", "Pipeline", "Stats", "end_open_calls", "test_connection"]
