"""
Files that say what a batch used, where the batch itself does not: https://platform.openai.com/docs/guides/batch

The application fetches such a file for its own ends; it is read here when it does, and only if it is waited for.
"""

from functools import partial

from .._record import Failure, Outcome
from .._recorder import Recording
from .._state import state


class Fetching:
    """
    The ending of a request for a file. It is no generation; only a file that is waited for is read, on our own thread.

    Args:
        recording: The request.
        file: The id of the file.
    """

    __slots__ = ("_file", "_recording", "first_chunk", "later")

    def __init__(self, recording: Recording, file: str) -> None:
        self._recording = recording
        self._file = file
        self.first_chunk = recording.first_chunk
        self.later = recording.later

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        return self._recording.finished

    def succeed(self, outcome: Outcome) -> None:
        """End; what the file holds is read by `read`."""
        self._recording.discard()

    def fail(self, failure: Failure, outcome: Outcome) -> None:
        """End with a failure: somebody will ask again."""
        self._recording.discard()

    def abandon(self, outcome: Outcome) -> None:
        """End early: somebody will ask again."""
        self._recording.discard()

    def read(self, body: bytes) -> None:
        """Have *body* read, the whole file, which may be large."""
        self._recording.discard()
        unread = None if self._recording.waits else state.files.pop(self._file, None)
        if unread is not None:
            self._recording.may_be_dropped()
            self._recording.later(partial(unread.read, self._recording, body))
