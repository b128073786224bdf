"""What a request of a generated client asks for, and for whom."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from .._context import as_text, attribution_of
from .._guard import guarded
from .._layers import around_here
from .._normalizers import PARAMETERS, as_fields, as_name, numbers_in, parse_plain
from .._providers import provider_of
from .._record import NOBODY, Attribution, Drafts
from .._recorder import Request, Unanswered, unchanging
from .._state import state
from ._bodies import JSON_OBJECT
from ._key_hashes import hash_of_client
from ._routes import Route, operation_in

REQUESTS: Final = Drafts(Request)

NOBODYS: Final[Mapping[str, str]] = {}

NO_ANSWERS: Final = frozenset({"batch", "embeddings", "moderation", "transcription", "translation"})
"""What a chat model, or its cache, may ask for on its way, and what cannot be its answer."""


NAMES_OF_SMALL_THINGS: Final = PARAMETERS | {"model", "stream"}
"""What a record says of a request's body, beside who asks and what."""

MAX_PLACES: Final = 256
"""For each origin: an application asks for a few models, and one that makes up names makes a place of each."""

MAX_PACKED_BYTES: Final = 8 * 1024 * 1024
"""Of a larger body, of pictures as a rule, what it asks for is not known: the application waits while it is parsed."""

NAMES_OF_ASKERS: Final = frozenset({"trace", "metadata", "user", "session_id"})
"""Where any wire format's request says who asks; see `WireFormat.user`."""


class Origin:
    """Where the requests of a library go."""

    __slots__ = ("host", "is_anybodys", "library", "places", "port", "provider")

    def __init__(self, library: str, provider: str | None, *, host: str | None, port: int | None) -> None:
        self.library = library
        self.provider = provider
        self.host = host
        self.port = port
        self.is_anybodys = provider_of(host, port, NOBODYS) is None  # then it may be a gateway
        self.places: dict[tuple[str, str | None], bytes] = {}

    def place(self, operation: str, model: str | None) -> bytes:
        """What all calls for a model have in common, as JSON by names of `Generation`; remembered in `places`."""
        members = {"operation": operation, "library": self.library, "request_model": model, "provider": self.provider}
        place = orjson.dumps({**members, "server_address": self.host, "server_port": self.port})
        if len(self.places) >= MAX_PLACES:
            self.places.clear()
        self.places[operation, model] = place
        return place


class Asking(Unanswered):
    """
    A request that is made now, described when its record is made and not before it is sent.

    Attributes:
        body: As it will be sent; of its own, so that what the application writes to its body later is not in it.
    """

    __slots__ = ("_origin", "_route", "_url", "body")

    def note(self, client: object, options: Any, *, route: Route, origin: Origin) -> None:
        """
        Take down what is asked. (A constructor with so many parameters takes twice as long.)

        Args:
            client: Whose request it is.
            options: The client library's request options.
            route: What kind of request it is.
            origin: Where it goes.
        """
        self._route, self._origin = route, origin
        self._url: str = options.url if route.unknown else ""
        self.body = body = body_of(options)
        self.around = self.key_hash = None
        self.attribution = NOBODY
        if state.runs:
            self.around = around_here(answers=route.is_a_call and route.operation not in NO_ANSWERS)
        if state.hashes_keys:
            with guarded("hashing a key"):
                self.key_hash = hash_of_client(client, options)
        if not NAMES_OF_ASKERS.isdisjoint(body):
            self.attribution = unchanging(_asker(route, body))  # what is in there may be changed for the next call

    def begins_below(self, above: "Asking") -> None:
        """As in `Call`."""
        self.stands_in(above)
        self.around = above.around

    @property
    def place(self) -> bytes:
        """As in `Lean`; made once for all calls for a model. Raises `TypeError` for a name that JSON cannot hold."""
        origin, operation, model = self._origin, self._route.operation, self.body.get("model")
        place = origin.places.get((operation, model)) if type(model) is str else None
        return origin.place(operation, self.model) if place is None else place

    @property
    def model(self) -> str | None:
        """The model that is asked for."""
        return as_name(self.body.get("model"))

    def request(self) -> Request:
        """All that is known of the call before it is made."""
        route = self._route
        spoken = self.body.get("input") if route.operation == "speech" else None
        made = REQUESTS.begin()
        self.describe(made)
        made.attribution = self.attribution
        made.input_characters = len(spoken) if isinstance(spoken, str) else None
        made.only_if_used = route.unknown
        made.around = self.around
        return REQUESTS.end(made)

    def describe(self, made: Any) -> None:
        """As in `Unanswered`; a record takes it from here without a `Request` in between, which costs as much again."""
        body, route, origin = self.body, self._route, self._origin
        made.operation = _operation(route, self._url)
        made.library = origin.library
        made.provider, made.server_address, made.server_port = origin.provider, origin.host, origin.port
        made.request_model = as_name(body.get("model"))
        made.streamed = body.get("stream") is True
        made.parameters = numbers_in(body)
        made.api_key_hash = self.key_hash

    def let_go(self) -> None:
        """Keep the application's messages alive no longer: what was asked is known by how it was sent."""
        body = self.body
        self.body = {name: body[name] for name in NAMES_OF_SMALL_THINGS.intersection(body)}


def _asker(route: Route, body: Mapping[str, object]) -> Attribution:
    """Who asks, by the request's own word."""
    asker = NOBODY
    with guarded("reading who a call is for"):
        asker = attribution_in(body, route.format.user(body))
    return asker


def body_of(options: Any) -> Mapping[str, object]:
    """A copy of the JSON body as it will be sent: ``extra_body`` goes over the rest."""
    body: Any = options.json_data
    extra = options.extra_json
    if body.__class__ is dict and not extra:
        members: dict[str, object] = body
        return members.copy()
    packed = packed_in(options)
    body, extra = as_fields(body if packed is None else _unpacked(packed)), as_fields(extra)
    return {**body, **extra} if extra else body


def packed_in(options: Any) -> bytes | str | None:
    """The body, where the application has packed it itself: `client.post` takes bytes as ``content`` or ``body``."""
    body = options.json_data
    if type(body) is dict:  # nearly always; there is no content beside it, and to look for some is 2,000 instructions
        return None
    if body is None:
        body = getattr(options, "content", None)
    if isinstance(body, (bytes, bytearray, str)):
        return bytes(body) if isinstance(body, bytearray) else body
    return None


def _unpacked(body: bytes | str) -> object:
    """What a body asks for, if it is JSON: it may be a file as well."""
    packed = body.encode() if isinstance(body, str) else body
    return parse_plain(packed) if packed[:1] == JSON_OBJECT and len(packed) <= MAX_PACKED_BYTES else None


def attribution_in(body: Mapping[str, object], user: object) -> Attribution:
    """
    ``session_id`` and ``trace`` of a request body, the way OpenRouter takes them, and *user*, whom the body names:
    https://openrouter.ai/docs/guides/features/broadcast
    """
    trace, session = as_fields(body.get("trace")), body.get("session_id")
    if not trace and user is None and session is None:
        return NOBODY
    given = attribution_of({key: value for key, value in trace.items() if key not in ("user", "session_id")})
    return Attribution(user=as_text(user), session_id=as_text(session)).over(given)


def _operation(route: Route, url: str) -> str:
    return operation_in(url) if route.unknown else route.operation
