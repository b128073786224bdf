"""Which request is a billable call, and how its answer is read."""

import re
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .._dataclass import dataclass
from .._normalizers import EMBEDDINGS
from .._state import state

if TYPE_CHECKING:
    from .._normalizers import WireFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """
    One kind of request.

    Attributes:
        operation: ``gen_ai.operation.name``.
        format: How its answers are read.
        asks_for_usage: Its streams tell their usage only when ``stream_options`` asks for it.
        creates_jobs: The answer may tell of work that goes on after it.
        settles: The answer belongs to a job that an earlier request created.
        lists: It is a page of such jobs.
        fetches: It is a file that may say what a job used.
        unknown: Nobody knows the endpoint: it is a billable call if its answer reports usage.
        is_a_call: It has a record of its own whatever is answered.
    """

    operation: str
    format: "WireFormat"
    asks_for_usage: bool = False
    creates_jobs: bool = False
    settles: bool = False
    lists: bool = False
    fetches: bool = False
    unknown: bool = False
    is_a_call: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_a_call", not (self.settles or self.fetches or self.unknown))


UNKNOWN: Final = Route(operation="unknown", format=EMBEDDINGS, unknown=True)
"""Endpoints come with every release of a provider; one that reports usage is paid for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """
    The routes of one library.

    Attributes:
        billable: POST paths, by their last one or two words.
        jobs: What a GET of ``/<word>/<id>``, or a POST of ``/<word>/<id>/cancel``, may settle.
        lists: What a GET of ``/<word>`` may settle; each word is one of those of the jobs.
        files: What a GET of ``/files/<id>/content`` may settle.
        never: POST paths that return an old answer, usage and all, and cost nothing.
    """

    billable: Mapping[str, Route]
    jobs: Mapping[str, Route] = field(default_factory=dict[str, Route])
    lists: Mapping[str, Route] = field(default_factory=dict[str, Route])
    files: Route | None = None
    never: re.Pattern[str] = re.compile(r"(?!)")

    def match(self, method: str, url: str) -> Route | None:
        """
        The route of a request; `None` if it is none that could cost something.

        Args:
            method: As the client library writes it, ``post`` or ``POST``.
            url: Absolute or relative, perhaps with a query.
        """
        if method in ("post", "POST"):
            return self.billable.get(url) or self._match_post(url)
        if method in ("get", "GET"):
            return self._match_known_job(url) or self._match_file(url)
        return None

    def _match_post(self, url: str) -> Route | None:
        words = urlsplit(url).path.rstrip("/").rsplit("/", 2)
        last_two, last = "/" + "/".join(words[-2:]), "/" + words[-1]
        route = self.billable.get(last_two) or self.billable.get(last) or self._match_job(url, CANCELLED_JOB)
        if route is not None or self.never.search(url):
            return route
        return UNKNOWN

    def _match_known_job(self, url: str) -> Route | None:
        """A look for the words first: most of what an application gets is none of them, and patterns are dear."""
        for word in self.jobs:
            if word in url:
                return self._match_job(url, JOB) or self._match_list(url)
        return None

    def _match_file(self, url: str) -> Route | None:
        """Most files are none of our business: only one that is waited for."""
        return self.files if state.files and file_in(url) in state.files else None

    def _match_list(self, url: str) -> Route | None:
        found = LIST.search(url)
        return self.lists.get(found[1]) if found is not None else None

    def _match_job(self, url: str, pattern: re.Pattern[str]) -> Route | None:
        found = pattern.search(url)
        return self.jobs.get(found[1]) if found is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """
    One kind of websocket.

    Attributes:
        operation: ``gen_ai.operation.name`` of its responses.
        format: How they are read.
        in_turn: Each is an answer to a ``response.create``, in the order of those on its lane. Elsewhere the server
            makes some by itself.
        delegates: They are made by other models than the session's own.
    """

    operation: str
    format: "WireFormat"
    in_turn: bool = False
    delegates: bool = False


def file_in(url: str) -> str:
    """The id of the file that a request is for; empty if it is for none."""
    found = FILE.search(url)
    return "" if found is None else found[1]


def operation_in(url: str) -> str:
    """What a call of an endpoint that nobody knows is called: the words of its path, without versions and ids."""
    return ".".join(word for word in urlsplit(url).path.split("/") if WORD.fullmatch(word)) or "unknown"


WORD: Final = re.compile(r"[A-Za-z_-]+")
FILE: Final = re.compile(r"(?:^|/)files/([^/?]+)/content/?(?:\?|$)")
LIST: Final = re.compile(r"(?:^|/)(\w+)/?(?:\?|$)")
JOB: Final = re.compile(r"(?:^|/)(\w+)/[^/?]+/?(?:\?|$)")
CANCELLED_JOB: Final = re.compile(r"(?:^|/)(\w+)/[^/?]+/cancel/?(?:\?|$)")
