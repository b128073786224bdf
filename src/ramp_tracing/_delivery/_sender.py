"""Posts to Ramp with the key, or with the token of an OAuth client."""

import time
from collections.abc import Mapping
from typing import Final

from .._config import Config
from ._answers import Answer
from ._tokens import Tokens
from ._transport import Transport

UNAUTHORIZED: Final = 401


class Sender:
    """
    What `Transport` does, with proof of who sends. Used by one thread at a time.

    Args:
        config: Address, key or client.
    """

    def __init__(self, config: Config) -> None:
        self._transport = Transport(config)
        self._tokens = None if config.client_id is None else Tokens(config)

    def post(self, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float) -> Answer:
        """
        Send one request and read its answer; a token that is not taken is renewed, once.

        Args:
            body: The body.
            headers: All headers except those that belong to the connection.
            timeout_seconds: For everything together, the token included.

        Raises:
            UnreachableError: There was no answer.
            TokenRefusedError: There was no token.
        """
        if self._tokens is None:
            return self._transport.post(body, headers, timeout_seconds=timeout_seconds)
        until = time.monotonic() + timeout_seconds
        answer = self._post(self._tokens, body, headers, until=until)
        if answer.status == UNAUTHORIZED:
            self._tokens.forget()
            answer = self._post(self._tokens, body, headers, until=until)
        return answer

    def _post(self, tokens: Tokens, body: bytes, headers: Mapping[str, str], *, until: float) -> Answer:
        token = tokens.current(until - time.monotonic())
        authorized = {**headers, "Authorization": f"Bearer {token.reveal()}"}
        return self._transport.post(body, authorized, timeout_seconds=until - time.monotonic())

    def idle_seconds_left(self) -> float | None:
        """How long the connection may go on doing nothing; `None` if there is none."""
        return self._transport.idle_seconds_left()

    def close(self) -> None:
        """Give the connection up; the next request makes a new one."""
        self._transport.close()

    def abandon(self) -> None:
        """Forget every connection, in a forked child: the parent goes on using them."""
        self._transport.abandon()
        if self._tokens is not None:
            self._tokens.abandon()
