"""From what LiteLLM tells of a call, and what the openai client has recorded of it, to one generation."""

import sys
from collections.abc import Mapping
from typing import Any, Final

from .._capture import snapshot
from .._guard import guarded
from .._identity import generation_id
from .._layers import Settled, Slot, answer_of, is_first_word, settle, slot_of, stop_speaking
from .._normalizers._litellm import LiteLLMCall, read_litellm
from .._normalizers._litellm_lean import LeanCall, lean_litellm
from .._normalizers._litellm_names import POLLS, own_id
from .._providers import address_in, provider_at
from .._record import GENERATIONS, Attribution, Content, Cost, Generation, GenerationId, Outcome, Usage, changed
from .._recorder import ANSWERED, CONTENTS, answered_first, as_asked, hand_over, sayable, timing_of_job
from .._state import Sink, state
from ._key_hashes import hash_of
from ._litellm_custom import is_handed_on, note_told
from ._litellm_unread import traced, unread_call

CREATING: Final = frozenset({"create_batch", "responses"})
"""Calls that may create a job: a batch, a response in the background."""

OF_JOBS: Final = frozenset({"create_batch", "retrieve_batch", *POLLS})
"""Calls that are no records of their own: what is recorded is the job."""

ENCRYPTED: Final = "litellm.proxy.hooks.responses_id_security"
"""The part of the proxy that gives its clients an id of its own for a response, another one at each look."""

PROXY: Final = "litellm.proxy.proxy_server"
"""Where that looks for its key. Outside of a proxy it is not there, and takes half a minute to import."""


def record(call: Mapping[str, object], answer: object, *, ok: bool) -> None:
    """
    Record the call that LiteLLM tells of, once.

    Args:
        call: The ``kwargs`` of its callback.
        answer: The ``response_obj``.
        ok: Whether it tells of a success.
    """
    sink = state.sink
    if sink is None:
        return
    lean = _lean(call, answer) if ok and sink.keeps_content else None
    said = _read(call, answer, ok=ok) if lean is None else None
    told = said if lean is None else lean
    if told is None:
        return
    slot = slot_of("litellm", told.key)
    settled = settle(slot, ok=ok, job=None if said is None else _job(said))
    try:
        note_told(slot, call, answer)
        if settled.promise is None and is_handed_on(slot, call):
            return
        if lean is not None and _is_recorded_unread(sink, call, lean, (slot, settled)):
            return
        said = said or _read(call, answer, ok=ok)
        if said is not None:
            _record(sink, call, said, (slot, settled))
    except BaseException:
        if settled.promise is not None:
            settled.promise.end()  # nobody else has it any more
        raise
    finally:
        stop_speaking()


def _read(call: Mapping[str, object], answer: object, *, ok: bool) -> LiteLLMCall | None:
    paid = None if ok else answer_of(slot_of("litellm", str(call.get("litellm_call_id"))))
    said = read_litellm(call, answer, ok=ok, paid=paid)
    response_id = None if said is None else said.outcome.response_id
    if said is None or response_id is None or said.kind not in CREATING | OF_JOBS:
        return said
    return changed(said, outcome=changed(said.outcome, response_id=_decrypted(response_id)))


def _decrypted(response_id: str) -> str:
    """The provider's own id, where the proxy has put another in its place."""
    decrypted: Any = getattr(sys.modules.get(ENCRYPTED), "decrypted_response_id", None)
    found = response_id
    if decrypted is not None and PROXY in sys.modules:
        with guarded("reading the proxy's id of a response"):
            found = own_id(decrypted(response_id)) or response_id
    return found


def _lean(call: Mapping[str, object], answer: object) -> LeanCall | None:
    lean = None
    try:
        lean = lean_litellm(call, answer)
    except BaseException:
        with guarded("looking at an answer of LiteLLM's"):
            raise
    return lean


def _is_recorded_unread(sink: Sink, call: Mapping[str, object], lean: LeanCall, known: tuple[Slot, Settled]) -> bool:
    """Record it, and leave the reading to the thread that sends; False if it has to be read now."""
    slot, settled = known
    if not settled.keeps_content:
        return False
    unread = None
    try:
        unread = unread_call(call, lean, settled)
    except BaseException:
        with guarded("keeping an answer of LiteLLM's"):
            raise
    if unread is None:
        return False
    is_first = not settled.late and is_first_word(slot, lean.attempt)
    if settled.promise is not None:
        settled.promise.end(unread if is_first else None)
    elif is_first:
        hand_over(sink, unread)
    return True


def _record(sink: Sink, call: Mapping[str, object], said: LiteLLMCall, known: tuple[Slot, Settled]) -> None:
    slot, settled = known
    job, promise = _job(said), settled.promise
    if settled.late or not (said.was_sent or promise) or _is_repeated(said, slot, settled, job=job):
        if promise is not None:  # an exchange that none of LiteLLM's words was about
            promise.end()
        return
    generation = generation_of(sink, said, settled, job=job)
    if generation.api_key_hash is None and (key_hash := hash_of(call.get("api_key"))) is not None:
        generation = changed(generation, api_key_hash=key_hash)
    if promise is not None:
        promise.end(generation)
    elif job is None or generation.pending:
        sink.record(generation)
    else:
        _record_end(sink, generation, said.outcome)


def _record_end(sink: Sink, seen: Generation, outcome: Outcome) -> None:
    """Record how a job has ended, for the one who created it, unless another process has done so."""
    note = sink.job(seen.id)
    if not note.settled:
        seen = changed(seen, timing=timing_of_job(seen.timing, outcome, now=seen.timing.ended))
        sink.record(seen if note.created is None else as_asked(note.created, seen))


def _is_repeated(said: LiteLLMCall, slot: Slot, settled: Settled, *, job: str | None) -> bool:
    """
    Whether LiteLLM has told of this before: of some calls it does so twice, of a batch at every poll.

    The proxy even tells of a failure and of a success of one attempt, whose reader has hung up.
    """
    if job is None:
        return said.kind in OF_JOBS or not is_first_word(slot, said.attempt)
    if said.outcome.pending:
        return said.kind not in CREATING
    return settled.held is None and not state.seen.take(job)


def _job(said: LiteLLMCall) -> str | None:
    """The id of a job, under which it is recorded when it is created and again when it has ended."""
    return said.outcome.response_id if said.outcome.job and said.kind in CREATING | OF_JOBS and said.ok else None


def generation_of(sink: Sink, said: LiteLLMCall, settled: Settled, *, job: str | None) -> Generation:
    """The record. What the client has seen goes before LiteLLM's words, LiteLLM's price and attribution before it."""
    seen, outcome = _unseen(said) if settled.held is None else answered_first(settled.held, said.outcome), said.outcome
    if settled.usage is not None and not seen.usage.known:
        seen = changed(seen, usage=settled.usage)
    host, port = address_in(said.api_base or "")
    return changed(
        seen,
        id=seen.id or (GenerationId(job) if job else generation_id(seen.response_id, state.seen)),
        operation=said.operation,
        library="litellm",
        provider=provider_at(said.provider, host, port, state.providers),
        server_address=seen.server_address or host,
        server_port=seen.server_port or port,
        request_model=said.model or seen.request_model,
        streamed=said.streamed or seen.streamed,
        parameters=seen.parameters or said.parameters,
        usage=_usage(said, settled, seen.usage),
        cost=_cost(said, seen),
        pending=outcome.pending,
        job=job is not None,
        failure=sayable(seen.failure or outcome.failure, keeps_content=sink.keeps_content and settled.keeps_content),
        attribution=_attribution(said, settled),
        span_parent=settled.started.span_parent,
        role="leaf" if settled.started.in_tree else "call",
        content=_content(sink, said),
    )


def _unseen(said: LiteLLMCall) -> Generation:
    """The call as the client would have recorded it, had it seen it."""
    outcome, made = said.outcome, GENERATIONS.begin()
    made.id, made.operation, made.library, made.timing = GenerationId(""), said.operation, "litellm", said.timing
    for name in ANSWERED:
        setattr(made, name, getattr(outcome, name))
    return GENERATIONS.end(made)


def _usage(said: LiteLLMCall, settled: Settled, seen: Usage) -> Usage:
    """The provider's own counts if the client saw them. What LiteLLM has for a stream without them is a guess."""
    usage = said.outcome.usage
    if settled.held is None and settled.usage is None:
        return usage
    if seen.known:
        return seen
    if settled.held is not None and said.streamed and usage.known:
        usage = changed(usage, estimated=True)
    characters = seen.input_characters or usage.input_characters
    return usage if characters == usage.input_characters else changed(usage, input_characters=characters)


def _cost(said: LiteLLMCall, seen: Generation) -> Cost | None:
    """
    What the provider said, else what LiteLLM reckons, unless it did so with other counts than the provider's.

    A discount or a margin is what the application has agreed on with whoever sells to it, so it is what is paid.
    """
    reckoned = said.outcome.cost
    if seen.cost is not None and not (reckoned and said.attribution.metadata.keys() & AGREED):
        return seen.cost
    return None if _differ(said.outcome.usage, seen.usage) and not said.cached else reckoned


AGREED: Final = frozenset({"litellm.discount", "litellm.margin"})


def _differ(said: Usage, seen: Usage) -> bool:
    pairs = ((said.input_tokens, seen.input_tokens), (said.output_tokens, seen.output_tokens))
    return any(one is not None and other is not None and one != other for one, other in pairs)


def _attribution(said: LiteLLMCall, settled: Settled) -> Attribution:
    started, held = settled.started, settled.held
    attribution = said.attribution.over(started.attribution)
    if held is not None and held.job and not held.pending:  # its end is for the one who created it, whoever asks
        return held.attribution.over(attribution)
    if held is not None:
        attribution = attribution.over(held.attribution)
    return traced(attribution, said.trace_id, started)


def _content(sink: Sink, said: LiteLLMCall) -> Content | None:
    if not sink.keeps_content:
        return None
    asked, asked_bytes = snapshot(said.asked)
    output, output_bytes = snapshot(said.outcome.output)
    made = CONTENTS.begin()
    made.input, made.output, made.size_bytes = asked, output, asked_bytes + output_bytes
    return CONTENTS.end(made)
