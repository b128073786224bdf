"""The connection test: one request by which nobody is charged, and what its outcome means in words."""

import time
from typing import TYPE_CHECKING, Final

from .._config import Config
from .._dataclass import dataclass
from ._advice import TOKEN, advice_on
from ._request import compressed, headers_of
from ._stages import encoder_of, export_settings

if TYPE_CHECKING:
    from ._answers import Answer

EMPTY_REFUSED: Final = frozenset({400, 422})
"""What a request without any event is answered: by a receiver that has looked at the key before."""

KEY_TAKEN: Final = "The receiver takes the key, and refused a request without events, as it should."


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReport:
    """
    How a connection test went.

    Attributes:
        ok: True if the receiver took it.
        status: The HTTP status; `None` if there was no answer.
        message: What happened and, unless all is well, what to do about it.
        trace_id: The receiver's name for the request, which its support will ask for.
        clock_ahead_seconds: How far this machine's clock is ahead of the receiver's, to a second or two; negative if
            it is behind, `None` if the receiver did not say.
    """

    ok: bool
    status: int | None
    message: str
    trace_id: str | None = None
    clock_ahead_seconds: float | None = None


def test_connection(config: Config) -> ConnectionReport:
    """
    Ask the receiver once whether it would take records, and wait for the answer.

    The span that is sent is known to Ramp as a test, and stays out of usage. Of unified events none is sent.

    Args:
        config: What to test.

    Returns:
        What happened; an unreachable receiver is a report like any other.

    Raises:
        OSError: The CA file has gone since *config* was made.
    """
    # Imported here: whoever only records needs none of it on this thread.
    from .._export import connection_test_body
    from ._failures import UnreachableError
    from ._sender import Sender
    from ._tokens import TokenRefusedError

    settings = export_settings(config)
    headers = headers_of(config, encoder_of(config).content_type, more={"X-Test-Connection": "true"})
    sender = Sender(config)
    try:
        body = compressed(connection_test_body(settings), config)
        answer = sender.post(body, headers, timeout_seconds=config.timeout_seconds)
    except UnreachableError as error:
        return ConnectionReport(ok=False, status=None, message=f"No answer: {error}")
    except TokenRefusedError as error:
        message = f"Answer {error.answer.status}, and no token: {TOKEN}.{_quoted(error.answer)}"
        return _report(error.answer, ok=False, message=message)
    finally:
        sender.close()
    if config.protocol == "ramp/unified" and answer.status in EMPTY_REFUSED:
        return _report(answer, ok=True, message=KEY_TAKEN)
    if answer.status // 100 == 2:
        return _report(answer, ok=True, message="The receiver took the test.")
    message = f"Answer {answer.status}: {advice_on(answer.status)}.{_quoted(answer)}"
    return _report(answer, ok=False, message=message)


def _quoted(answer: "Answer") -> str:
    return f" The receiver says: {answer.said}" if answer.said else ""


def _report(answer: "Answer", *, ok: bool, message: str) -> ConnectionReport:
    return ConnectionReport(
        ok=ok,
        status=answer.status,
        message=message,
        trace_id=answer.trace_id,
        clock_ahead_seconds=_clock_ahead(answer.headers.get("date"), time.time()),
    )


def _clock_ahead(date: str | None, now: float) -> float | None:
    from ._answers import http_date

    said = None if date is None else http_date(date)
    return None if said is None else now - said.timestamp()
