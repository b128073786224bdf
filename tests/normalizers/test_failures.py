"""What went wrong, from exceptions."""

from types import SimpleNamespace
from typing import Any

import pytest

from ramp_tracing._normalizers import failure_of
from ramp_tracing._record import Failure


class Refused(Exception):  # noqa: N818 - shaped like the client's own, which do not end in Error all
    """An exception as generated clients raise it."""

    def __init__(self, message: object, status_code: object, code: object) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.code = code


class Typed(Exception):  # noqa: N818
    """An exception as Anthropic's client raises it."""

    message = "Number of requests has exceeded your rate limit."
    status_code = 429
    type = "rate_limit_error"


class Hostile(Exception):  # noqa: N818
    """An exception of the application that does not want to be looked at."""

    def __str__(self) -> str:
        raise AssertionError("nobody may ask")

    __repr__ = __str__


class Answered(Exception):  # noqa: N818
    """An exception as httpx and requests raise it."""

    def __init__(self, response: object) -> None:
        super().__init__("refused")
        self.response = response


class Guarded(Exception):  # noqa: N818
    """An exception of the application that runs code where it is looked at."""

    @property
    def response(self) -> object:
        raise AssertionError("nobody may ask")


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (
            Refused("no such model", 404, "model_not_found"),
            Failure(type="Refused", message="no such model", status_code=404, code="model_not_found"),
        ),
        (Refused("slow down", 429, 429), Failure(type="Refused", message="slow down", status_code=429, code="429")),
        (Refused(None, None, None), Failure(type="Refused")),
        (Refused({"text": "no"}, "404", []), Failure(type="Refused", status_code=404)),
        (Typed(), Failure(type="Typed", message=Typed.message, status_code=429, code="rate_limit_error")),
        (KeyError("choices"), Failure(type="KeyError", message="choices")),
        (ValueError(), Failure(type="ValueError")),
        (Hostile(5), Failure(type="Hostile")),
        (
            Answered(SimpleNamespace(status_code=503)),
            Failure(type="Answered", message="refused", status_code=503),
        ),
        (Answered(None), Failure(type="Answered", message="refused")),
        (Guarded(), Failure(type="Guarded")),
        (Refused("no", 400, "The prompt was: " + "x" * 128), Failure(type="Refused", message="no", status_code=400)),
    ],
)
def test_exception(error: Exception, failure: Failure) -> None:
    """Type, message, status and code are read as far as they are what they should be; no method is called."""
    assert failure == failure_of(error)


def test_what_a_program_says_when_it_exits_is_no_code() -> None:
    """It is a message, which stays inside the process in privacy mode."""
    assert failure_of(SystemExit("I asked: …")) == Failure(type="SystemExit", message="I asked: …")


def test_client_exception() -> None:
    """The client's own exceptions say it all."""
    openai: Any = pytest.importorskip("openai")
    response = _response(openai, 404)
    error = openai.NotFoundError(
        "no such model", response=response, body={"message": "no such model", "code": "model_not_found"}
    )
    assert Failure(
        type="NotFoundError", message="no such model", status_code=404, code="model_not_found"
    ) == failure_of(error)


def test_exception_of_an_http_client() -> None:
    """httpx, which some of LangChain's classes use without a client library, keeps the status in the response."""
    httpx: Any = pytest.importorskip("httpx")
    answer = httpx.Response(429, request=httpx.Request("POST", "http://127.0.0.1/v1/chat/completions"))
    with pytest.raises(httpx.HTTPStatusError) as raised:
        answer.raise_for_status()
    assert failure_of(raised.value).status_code == 429


def _response(openai: Any, status: int) -> Any:
    """A response of whichever HTTP library this client is built on."""
    http = pytest.importorskip(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])
    return http.Response(status, request=http.Request("POST", "http://127.0.0.1/v1/chat/completions"))
