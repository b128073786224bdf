"""What the receiver took, and whether the sender kept its word about sending again."""

import hashlib
import math
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from .ledger import MARKER, cost_of, input_tokens_of, label_of
from .reading import Call, read_calls

UNCHECKED_LABEL: Final = "odd"
"""Records whose own numbers are the poison."""


class Tally:
    """
    Counts by the application's marker and by the span's ids. Any thread may call anything.

    Attributes:
        requests: Requests that arrived whole.
        complaints: What no honest client does: a body that cannot be read, a key that is used for other bytes.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.complaints: list[str] = []
        self._taken: Counter[str] = Counter()
        self._ids: defaultdict[str, set[str]] = defaultdict(set)
        self._wrong: set[str] = set()
        self._digests: dict[str, bytes] = {}
        self._regrouped = 0
        self._lock = threading.Lock()

    def arrived(self, headers: Mapping[str, str], body: bytes) -> tuple[Sequence[Call], bool]:
        """
        Look at a request before anybody decides what to do with it.

        Returns:
            Its generations, and whether the very same request came before.
        """
        with self._lock:
            self.requests += 1
            same = self._came_before(headers.get("idempotency-key", ""), body)
            try:
                calls = [call for call in read_calls(body) if call.marker]
            except ValueError as error:
                self.complaints.append(f"unreadable request: {error}")
                return (), same
            for call in calls:
                self._look_at(call)
        return calls, same

    def take(self, calls: Sequence[Call], *, same: bool) -> None:
        """The receiver has these now, and would show them to people."""
        with self._lock:
            for call in calls:
                self._regrouped += self._taken[call.marker] > 0 and not same
                self._taken[call.marker] += 1

    @property
    def taken(self) -> set[str]:
        """The markers of the records that were taken."""
        with self._lock:
            return set(self._taken)

    @property
    def repeats(self) -> int:
        """How often a record was taken that had been taken before."""
        with self._lock:
            return self._taken.total() - len(self._taken)

    @property
    def regrouped(self) -> int:
        """How many of those came in a request that was not the earlier one, byte for byte and under its key."""
        return self._regrouped

    @property
    def shared_ids(self) -> int:
        """How many records are missed by somebody who keeps one for each id."""
        with self._lock:
            ids = [each for ids in self._ids.values() for each in ids]
            return len(ids) - len(set(ids))

    @property
    def new_ids(self) -> list[str]:
        """Markers of records that came under more than one id: they would be counted twice."""
        with self._lock:
            return sorted(name for name, ids in self._ids.items() if len(ids) > 1)

    @property
    def wrong_money(self) -> list[str]:
        """Markers of records whose tokens or cost are not what the application said."""
        with self._lock:
            return sorted(self._wrong)

    def _came_before(self, key: str, body: bytes) -> bool:
        digest = hashlib.sha256(body).digest()
        before = self._digests.get(key)
        self._digests[key] = digest
        if not key:
            self.complaints.append("a request without Idempotency-Key")
        elif before not in (None, digest):
            self.complaints.append("an Idempotency-Key was used for other bytes")
        return before == digest

    def _look_at(self, call: Call) -> None:
        if not MARKER.fullmatch(call.marker):
            self.complaints.append("a record that the application did not make")
            return
        self._ids[call.marker].add(call.ids)
        tokens, cost = input_tokens_of(call.marker), float(cost_of(call.marker))
        right = call.input_tokens == tokens and call.cost is not None and math.isclose(call.cost, cost)
        if not right and label_of(call.marker) != UNCHECKED_LABEL:
            self._wrong.add(call.marker)
