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
from .._normalizers._litellm_lean import LeanCall, content_alone, counted, is_of_counts
from .._normalizers._litellm_names import PROVIDERS
from .._providers import address_in, provider_at
from .._record import (
    GENERATIONS,
    NOTHING_READ,
    Attribution,
    Content,
    Cost,
    Drafts,
    Generation,
    Lean,
    Outcome,
    ReadLater,
    answer,
    changed,
)
from .._recorder import CONTENTS, answered_first, timed, unchanging
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
    seen = None if settled.promise is None else settled.promise.recorded
    if isinstance(seen, Generation):
        return None
    client = None if seen is None else seen.written()
    if client is not None and not _agree(told, client):
        return None
    attribution = _attribution(call, settled, client)
    if attribution.metadata and not PLAIN.issuperset(map(type, attribution.metadata.values())):
        return None
    below = None if client is None else client.place
    try:
        place = place_of(told.word, told.model, told.api_base, tuple(state.providers.items()), below)
        parts = place.written, PRICED % told.price if told.price else b"", orjson.dumps(told.parameters)
    except TypeError:  # a name or a number that JSON cannot hold
        return None
    lean = _begun(settled.started, attribution)
    lean.place = WRITTEN % parts
    key_hash = None if client is None else client.api_key_hash
    lean.api_key_hash = hash_of(call.get("api_key")) if key_hash is None else key_hash
    if seen is None or client is None:
        return _told_alone(lean, told, place)
    return _told_of(seen, client, told, lean=lean, place=place)


def _told_alone(lean: Lean, told: LeanCall, place: Place) -> ReadLater:
    """The record of a call that no client has shown us."""
    lean.answer, lean.started, lean.ended, lean.retries = told.answer, told.started, told.ended, None
    lean.id = generation_id(told.response_id, state.seen)  # last: should anything raise, the id is not taken
    made = ReadLater(lean, partial(_read, told=told, place=place))
    made.size_bytes = told.size_bytes
    return made


def _told_of(seen: ReadLater, client: Lean, told: LeanCall, *, lean: Lean, place: Place) -> ReadLater:
    """The record of a call that a client has recorded, of which *client* is written down."""
    lean.answer, lean.started = client.answer, client.started
    lean.ended, lean.retries, lean.id = client.ended, client.retries, client.id
    made = ReadLater(lean, partial(_enriched, told=told, place=place, seen=seen))
    made.size_bytes = told.size_bytes + seen.size_bytes
    return made


def _begun(started: InForce, attribution: Attribution) -> Lean:
    """What is written down of every call of LiteLLM's that is read later."""
    lean = Lean()
    lean.format, lean.attribution, lean.cost = CHAT.name, attribution, None
    lean.span_parent = started.span_parent
    lean.role = "leaf" if started.in_tree else "call"
    return lean


def _agree(told: LeanCall, client: Lean) -> bool:
    """Whether the client's answer says all that LiteLLM's says, and counts the same, for which LiteLLM has a price."""
    if client.format != CHAT.name or client.cost is not None:
        return False
    here, there = as_fields(parse(client.answer)), told.members
    usage, other = here.get("usage"), there.get("usage")
    same = usage == other or (is_of_counts(as_fields(usage)) and counted(usage) == counted(other))
    return same and all(map(here.get, there))


def _attribution(call: Mapping[str, object], settled: Settled, client: Lean | None) -> Attribution:
    """Who the call is for: by LiteLLM's word, by what was in force where it was made, by the client's word."""
    started, trace_id = settled.started, trace_id_in(call)
    attribution = litellm_attribution(call).over(started.attribution)
    if client is not None:
        attribution = attribution.over(client.attribution)
    if trace_id is not None:
        attribution = traced(attribution, trace_id, started)
    return unchanging(attribution) if attribution.metadata else attribution


def _read(lean: Lean, *, told: LeanCall, place: Place) -> Generation:
    """The record, from copies that nobody changes any more."""
    outcome = NOTHING_READ
    with guarded("reading an answer of LiteLLM's"):
        outcome = CHAT.read({**told.members, "choices": told.choices})
    made: Any = GENERATIONS.begin()
    made.id, made.operation, made.library = lean.id, OPERATION, "litellm"
    made.timing = timed(lean.started, lean.ended)
    made.provider, made.request_model = place.provider, place.request_model
    made.server_address, made.server_port = place.server_address, place.server_port
    made.parameters, made.cost = told.parameters, cost_of(told.price)
    made.attribution, made.span_parent, made.role = lean.attribution, lean.span_parent, lean.role
    made.api_key_hash = lean.api_key_hash
    answer(made, outcome)
    made.content = _content(told, outcome)
    return GENERATIONS.end(made)


def _enriched(lean: Lean, *, told: LeanCall, place: Place, seen: ReadLater) -> Generation:
    """The client's record, with LiteLLM's words; as `generation_of`."""
    known, outcome = seen.whole(), content_alone(told.choices)
    return changed(
        answered_first(known, outcome),
        operation=OPERATION,
        library="litellm",
        provider=place.provider,
        server_address=place.server_address,
        server_port=place.server_port,
        request_model=place.request_model,
        parameters=known.parameters or told.parameters,
        cost=cost_of(told.price) if known.cost is None else known.cost,
        attribution=lean.attribution,
        span_parent=lean.span_parent,
        role=lean.role,
        api_key_hash=lean.api_key_hash,
        content=_content(told, outcome),
    )


def _content(told: LeanCall, outcome: Outcome) -> Content:
    made = CONTENTS.begin()
    made.input, made.output, made.size_bytes = {"messages": told.messages}, outcome.output, told.size_bytes
    return CONTENTS.end(made)


@lru_cache(maxsize=CACHED_PLACES)
def place_of(
    word: str,
    model: str | None,
    api_base: str | None,
    providers: tuple[tuple[str, str], ...],
    below: bytes | None = None,
) -> Place:
    """
    Where a call went. What the client has seen of it goes before the address that LiteLLM has.

    Args:
        word: LiteLLM's word for the provider.
        model: LiteLLM's word for the model.
        api_base: The address.
        providers: The user's own names of providers.
        below: The `Lean.place` of the client's record.
    """
    host, port = address_in(api_base or "")
    provider = provider_at(PROVIDERS.get(word, word), host, port, dict(providers))
    asked = None if model is None else model.removeprefix(f"{word}/") or model
    seen: Any = as_fields(None if below is None else parse(below))
    host, port = seen.get("server_address") or host, seen.get("server_port") or port
    asked = asked or seen.get("request_model")
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
