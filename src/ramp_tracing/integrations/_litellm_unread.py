"""A call that LiteLLM has told of, recorded before anybody has read what was asked and answered."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

import orjson

from .._context import InForce
from .._guard import guarded
from .._identity import generation_id
from .._layers import Settled
from .._normalizers import CHAT, as_fields, parse
from .._normalizers._litellm_attribution import litellm_attribution, trace_id_in
from .._normalizers._litellm_lean import LeanCall
from .._normalizers._litellm_names import PROVIDERS
from .._providers import address_in, provider_at
from .._record import GENERATIONS, NOTHING_READ, Attribution, Content, Cost, Drafts, Generation, Lean, answer
from .._recorder import ReadLater, timed, unchanging
from .._state import state
from ._key_hashes import hash_of

OPERATION: Final = "chat"
COSTS: Final = Drafts(Cost)

CACHED_PLACES: Final = 256
"""An application asks a handful of models at a handful of addresses."""


class Place(NamedTuple):
    """What is asked, and where: the fields of a `Generation` of the same names."""

    provider: str | None
    server_address: str | None
    server_port: int | None
    request_model: str | None
    written: bytes
    """JSON of these, without its end."""


WRITTEN: Final = b'%b%b,"parameters":%b}'
PRICED: Final = b',"cost":{"total":"%b","source":"gateway"}'
"""Written as text: to make a `Decimal` of it and a text of that is for the thread that sends."""

PLAIN: Final[frozenset[type]] = frozenset({str, int, float, bool, list, dict})
"""What metadata is as a rule, and is the same whenever it is looked at, once `unchanging` has copied the containers."""


def unread_call(call: Mapping[str, object], told: LeanCall, settled: Settled) -> ReadLater | None:
    """
    A record of which the content is read later.

    Args:
        call: The ``kwargs`` of the callback.
        told: What was taken out of them.
        settled: What was known of the call before.

    Returns:
        `None` where something has to be looked at now.
    """
    lean, started = Lean(), settled.started
    said = litellm_attribution(call).over(started.attribution)
    attribution = unchanging(traced(said, trace_id_in(call), started))
    if not PLAIN.issuperset(map(type, attribution.metadata.values())):
        return None
    try:
        place = place_of(told.word, told.model, told.api_base, tuple(state.providers.items()))
        lean.place = WRITTEN % (
            place.written,
            PRICED % told.price if told.price else b"",
            orjson.dumps(told.parameters),
        )
    except TypeError:  # a name or a number that JSON cannot hold
        return None
    lean.answer, lean.format = told.answer, CHAT.name
    lean.cost = lean.retries = None  # the first is in the place, as JSON
    lean.started, lean.ended = told.started, told.ended
    lean.attribution, lean.span_parent = attribution, started.span_parent
    lean.role = "leaf" if started.in_tree else "call"
    lean.api_key_hash = hash_of(call.get("api_key"))
    lean.id = generation_id(told.response_id, state.seen)  # last: should anything raise, the id is not taken
    return ReadLater(lean, partial(_read, told=told, place=place), size_bytes=told.size_bytes)


def _read(lean: Lean, *, told: LeanCall, place: Place) -> Generation:
    """The record, from copies that nobody changes any more."""
    outcome = NOTHING_READ
    with guarded("reading an answer of LiteLLM's"):
        outcome = CHAT.read({**as_fields(parse(lean.answer)), "choices": told.choices})
    made: Any = GENERATIONS.begin()
    made.id, made.operation, made.library = lean.id, OPERATION, "litellm"
    made.timing = timed(lean.started, lean.ended)
    made.provider, made.request_model = place.provider, place.request_model
    made.server_address, made.server_port = place.server_address, place.server_port
    made.parameters, made.cost = told.parameters, cost_of(told.price)
    made.attribution, made.span_parent, made.role = lean.attribution, lean.span_parent, lean.role
    made.api_key_hash = lean.api_key_hash
    answer(made, outcome)
    asked: object = {"messages": told.messages}
    made.content = Content(input=asked, output=outcome.output, size_bytes=told.size_bytes)
    return GENERATIONS.end(made)


@lru_cache(maxsize=CACHED_PLACES)
def place_of(word: str, model: str | None, api_base: str | None, providers: tuple[tuple[str, str], ...]) -> Place:
    """
    Where a call went.

    Args:
        word: LiteLLM's word for the provider.
        model: LiteLLM's word for the model.
        api_base: The address.
        providers: The user's own names of providers.
    """
    host, port = address_in(api_base or "")
    provider = provider_at(PROVIDERS.get(word, word), host, port, dict(providers))
    asked = None if model is None else model.removeprefix(f"{word}/") or model
    members = {
        "operation": OPERATION, "library": "litellm", "provider": provider, "server_address": host,
        "server_port": port, "request_model": asked,
    }  # fmt: skip
    return Place(provider, host, port, asked, orjson.dumps(members)[:-1])


def cost_of(price: bytes) -> Cost | None:
    """LiteLLM's price; none where there is nothing in *price*."""
    if not price:
        return None
    made = COSTS.begin()
    made.total, made.source = Decimal(price.decode()), "gateway"
    return COSTS.end(made)


def traced(attribution: Attribution, trace_id: str | None, started: InForce) -> Attribution:
    """*attribution*, with LiteLLM's own id for what belongs together where there is no other."""
    if trace_id is None or attribution.trace_id is not None or started.span_parent is not None:
        return attribution
    return Attribution(trace_id=trace_id).over(attribution)
