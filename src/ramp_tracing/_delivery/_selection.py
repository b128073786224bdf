"""Which records the user wants to have sent, and with how much: filters and sampling, as Broadcast has them."""

import logging
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from .._config import Config
from .._export import trace_id_of
from .._guard import guarded, log
from .._record import Generation, changed

UNIFIED: Final = "ramp/unified"

SPREAD: Final = 2**64
"""How many places of a draw there are."""


class Selection:
    """
    Decides what is sent. Where in doubt it is: a record that is left out is spend that nobody sees.

    A run of LangChain's, which is no call, is not asked about: it goes as its trace does.

    Args:
        config: What the user wants.
        price: Adds the cost where it is known; the user's filter is told of it.
    """

    def __init__(self, config: Config, price: Callable[[Generation], Generation]) -> None:
        self._config = config
        self._price = price
        self.leaves_out = (
            bool(config.exclude_providers)
            or config.allow_api_keys is not None
            or config.filter is not None
            or config.sampling_rate < 1
            or config.protocol == UNIFIED
        )
        """Whether there may be anything that is not sent."""
        self.trims = config.content_sampling_rate < 1
        """Whether there may be anything that is sent without its content."""

    def wants(self, generation: Generation) -> bool:
        """Whether *generation* is to be sent."""
        if generation.role == "step" and self._config.protocol == UNIFIED:  # there are events of calls only
            return False
        if generation.role != "step" and not (
            self._has_wanted_provider(generation) and self._has_allowed_key(generation)
        ):
            return False
        if not is_drawn(generation, self._config.sampling_rate, salt="call"):
            return False
        return generation.role == "step" or self._passes_filter(generation)

    def trimmed(self, generation: Generation) -> Generation:
        """*generation* as it is sent: without content where its session is not among those that keep it."""
        if is_drawn(generation, self._config.content_sampling_rate, salt="content"):
            return generation
        failure = None if generation.failure is None else changed(generation.failure, message=None)
        return changed(generation, content=None, content_lost=False, failure=failure)

    def _has_wanted_provider(self, generation: Generation) -> bool:
        provider = generation.provider
        return provider is None or provider.lower() not in self._config.exclude_providers

    def _has_allowed_key(self, generation: Generation) -> bool:
        allowed = self._config.allow_api_keys
        if allowed is None or generation.api_key_hash in allowed:
            return True
        if generation.api_key_hash is not None:
            return False
        log.once_a_minute(
            logging.WARNING, "unknown key", "a call is sent although allow_api_keys is set: its key cannot be seen"
        )
        return True

    def _passes_filter(self, generation: Generation) -> bool:
        """Only a clear no counts: one that raises, or forgets to return anything, loses no spend."""
        if self._config.filter is None:
            return True
        said: object = True
        with guarded("asking the application's filter"):
            said = self._config.filter(self._price(generation))
        if not isinstance(said, bool):
            text = "the application's filter returned neither True nor False: the call is sent"
            log.once_a_minute(logging.WARNING, "filter", text)
        return said is not False


def is_drawn(generation: Generation, rate: float, *, salt: str) -> bool:
    """
    Whether *generation* is in a sample: the same answer in every process, for all calls of a session.

    Args:
        generation: The call. Its session decides, else its trace, else, where it has neither, its own id.
        rate: The share, 0 to 1.
        salt: Tells one draw from another, so that they do not pick the same sessions.
    """
    if rate >= 1:
        return True
    drawn_by = generation.attribution.session_id or trace_id_of(generation)
    digest = sha256(f"{salt}\0{drawn_by}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) < rate * SPREAD
