"""
From the journal to the receiver: batches, answers, pace, the thread that does it all, and its end.

Importing this imports neither `http.client` nor `ssl` nor the export: the thread that sends does.
"""

from typing import TYPE_CHECKING

from .._lazy import names_of
from ._lifetime import end_open_calls
from ._pipeline import Pipeline

if TYPE_CHECKING:
    from ._connection import ConnectionReport, test_connection

__all__ = ["ConnectionReport", "Pipeline", "end_open_calls", "test_connection"]

__getattr__ = names_of(__name__, {"ConnectionReport": "_connection", "test_connection": "_connection"})
