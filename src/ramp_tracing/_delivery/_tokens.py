"""
OAuth client credentials: a token in place of the key, asked for when it is needed and before it ends.

https://www.rfc-editor.org/rfc/rfc6749#section-4.4. The token is in memory only, in nobody's log, and of no use to Ramp
without the scope, which therefore is always asked for.
"""

import json
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

from .._config import Config, Secret
from .._dataclass import dataclass
from .._version import __version__
from ._answers import Answer
from ._transport import Transport

GRANT: Final = b"grant_type=client_credentials&scope=ai_usage%3Awrite"

MAX_MARGIN_SECONDS: Final = 60.0
"""A token is renewed so long before it ends, or after nine tenths of its life, whichever is later."""

USABLE: Final = re.compile(r"[\x21-\x7e]+")
"""What can stand in a header."""


class TokenRefusedError(Exception):
    """
    There was an answer, and no token in it. Its text quotes nothing.

    Attributes:
        answer: What came instead.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(f"no token came from token_url: answer {answer.status}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """
    Attributes:
        text: The token.
        renew_at: The instant of `time.monotonic` from which on a new one is asked for; `None` if nobody said how long
            it lives.
    """

    text: Secret
    renew_at: float | None


class Tokens:
    """
    The tokens of one OAuth client. Used by one thread at a time.

    Args:
        config: The client, its secret, and where it asks.
    """

    def __init__(self, config: Config) -> None:
        self._transport = Transport(config, config.token_url)
        secret = "" if config.client_secret is None else config.client_secret.reveal()
        self._basic = Secret(b64encode(f"{config.client_id}:{secret}".encode()).decode())
        self._token: Token | None = None

    def current(self, timeout_seconds: float) -> Secret:
        """
        A token that has not ended.

        Args:
            timeout_seconds: For the request, if it takes one.

        Raises:
            UnreachableError: There was no answer.
            TokenRefusedError: There was another answer than a token.
        """
        token = self._token
        if token is None or (token.renew_at is not None and time.monotonic() >= token.renew_at):
            token = self._token = self._fetched(timeout_seconds)
        return token.text

    def forget(self) -> None:
        """Ask for another token the next time: the receiver does not take this one."""
        self._token = None

    def close(self) -> None:
        """Give the connection up."""
        self._transport.close()

    def abandon(self) -> None:
        """Forget the connection, in a forked child."""
        self._transport.abandon()

    def _fetched(self, timeout_seconds: float) -> Token:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            "Authorization": f"Basic {self._basic.reveal()}",
            "User-Agent": f"ramp-tracing/{__version__}",
        }
        try:
            answer = self._transport.post(GRANT, headers, timeout_seconds=timeout_seconds)
        finally:
            self._transport.close()  # it is needed once an hour
        if answer.status // 100 != 2:
            raise TokenRefusedError(answer)
        token = _token_in(answer, now=time.monotonic())
        if token is None:
            raise TokenRefusedError(replace(answer, body=b""))  # there may be a token in it, in a form of its own
        return token


def _token_in(answer: Answer, *, now: float) -> Token | None:
    """`None` if there is none that could be sent."""
    try:
        body: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    fields = cast("Mapping[str, object]", body)
    text, seconds = fields.get("access_token"), fields.get("expires_in")
    if not isinstance(text, str) or not USABLE.fullmatch(text):
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
        return Token(text=Secret(text), renew_at=None)
    return Token(text=Secret(text), renew_at=now + max(seconds - MAX_MARGIN_SECONDS, seconds * 0.9))
