"""From the end of a run of LangChain's to one record: of a model's call that nobody else records, or of a step."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from .._capture import snapshot
from .._context import in_force_then
from .._dataclass import dataclass
from .._guard import guarded
from .._layers import Ending, Run
from .._normalizers import as_fields, as_name, failure_of
from .._normalizers._langchain import as_cached, is_cached, langchain_messages, read_langchain
from .._normalizers._langchain_models import LangChainModel, read_model
from .._providers import address_in, provider_at
from .._record import NOBODY, Attribution, Failure, Generation, Outcome, Timing
from .._recorder import ABANDONED, Recording, Request
from .._state import Sink, state
from ._asking import attribution_in

THROUGH: Final[Mapping[str, str]] = {
    "anthropic": "anthropic",
    "anthropic-bedrock": "anthropic",
    "azure": "openai",
    "deepseek": "openai",
    "google_anthropic_vertex": "anthropic",
    "litellm": "litellm",
    "openai": "openai",
}
"""LangChain's word for a provider → the library that its class sends through; that one sees every request."""

BASES: Final[Mapping[str, tuple[str, ...]]] = {
    "cohere": ("CO_API_URL",),
    "google_genai": ("GOOGLE_GEMINI_BASE_URL",),
    "groq": ("GROQ_BASE_URL",),
    "openai": ("OPENAI_API_BASE", "OPENAI_BASE_URL"),
}
"""
LangChain's word for a provider → variables in which its client looks for an address that it was not given.

LangChain says nothing of those; of Anthropic's and OpenRouter's it does. Read by cohere 5, google-genai 1 and groq 0.
"""

CACHE_HIT: Final = "langchain.cache_hit"


@dataclass(slots=True, kw_only=True)
class ModelCall:
    """
    What is kept of a model's run until its end.

    Attributes:
        sink: Where it is recorded.
        operation: ``chat`` or ``text_completion``.
        asked: The messages or the prompt, as LangChain has them; `None` in privacy mode.
        serialized: The model, as LangChain describes it.
        params: The request's parameters.
    """

    sink: Sink
    operation: str
    asked: object
    serialized: Mapping[str, object]
    params: Mapping[str, object]


def finish_run(run: Run, ending: Ending) -> None:
    """Record *run*, unless a layer below does or nothing is to be said of it."""
    with guarded("recording a run of LangChain"):
        if run.process != os.getpid():
            return
        if isinstance(run.call, ModelCall):
            if not run.claimed:
                _finish_model(run, run.call, ending)
        elif run.tells_all and not run.is_hidden and state.sink is not None:
            _finish_step(state.sink, run, ending)


def _finish_model(run: Run, call: ModelCall, ending: Ending) -> None:
    """Where it may be the garbage collector that tells, at any line of any thread, the record is made elsewhere."""
    if ending.gone or isinstance(ending.error, GeneratorExit):
        call.sink.defer(lambda: _record(run, call, ending))
    else:
        _record(run, call, ending)


def _finish_step(sink: Sink, run: Run, ending: Ending) -> None:
    """Always elsewhere: of a chain that is streamed nothing says who tells of its end."""

    def record() -> None:
        with guarded("recording a step of LangChain"):
            sink.record(_step(run, ending))

    sink.defer(record)


def _record(run: Run, call: ModelCall, ending: Ending) -> None:
    with guarded("recording a call of LangChain"):
        model = read_model(call.serialized, call.params, run.metadata)
        outcome = _outcome(call, ending)
        if not _is_anothers(model, outcome):
            around = run.around(itself=True)
            began_in = in_force_then(_said(call, outcome), state.defaults, around, run.span_parent)
            recording = Recording(call.sink, _request(run, call, model), began_in)
            recording.between(run.started, run.ended or run.now(), run.first_chunk)
            recording.succeed(outcome)


def _is_anothers(model: LangChainModel, outcome: Outcome) -> bool:
    """
    Whether a library below records it though it has not claimed it, or would have seen a request if there had been one.

    LiteLLM tells of every call, answers from its own cache among them, of which it announces nothing.
    """
    below = THROUGH.get(model.word or "")
    if below not in state.installed:
        return False
    return below == "litellm" or (outcome.failure is not None and not outcome.usage.known)


def _outcome(call: ModelCall, ending: Ending) -> Outcome:
    """What was answered; of a stream that broke off, counts are what the provider had reported until then."""
    outcome = _on_terms(read_langchain(ending.result, call.params.get("tools")), call)
    if is_cached(ending.result):
        return as_cached(outcome)
    failure = _failure(ending)
    if failure is None or (failure is ABANDONED and outcome.finish_reasons and outcome.usage.known):
        return outcome
    usage = replace(outcome.usage, estimated=True) if outcome.usage.known else outcome.usage
    return replace(outcome, failure=failure, usage=usage)


def _on_terms(outcome: Outcome, call: ModelCall) -> Outcome:
    """
    With the terms that were asked for, where the answer does not say them: LangChain hands on none of a stream of
    Anthropic's, and both raise the price: https://platform.claude.com/docs/en/about-claude/pricing
    """
    places = (call.params, as_fields(call.params.get("model_kwargs")), as_fields(call.serialized.get("kwargs")))
    tier, geo = (next(filter(None, (as_name(place.get(name)) for place in places)), None) for name in TERMS)
    if tier is None and geo is None:
        return outcome
    return replace(outcome, service_tier=outcome.service_tier or tier, inference_geo=outcome.inference_geo or geo)


TERMS: Final = ("speed", "inference_geo")
"""Of Anthropic's requests: how fast, and where in the world."""


def _failure(ending: Ending) -> Failure | None:
    if ending.error is None:
        return ABANDONED if ending.gone else None
    return ABANDONED if isinstance(ending.error, GeneratorExit) else failure_of(ending.error)


def _request(run: Run, call: ModelCall, model: LangChainModel) -> Request:
    host, port = _address(model)
    content, content_bytes = _content(call)
    return Request(
        operation=call.operation,
        library="langchain",
        provider=provider_at(model.provider, host, port, state.providers),
        server_address=host,
        server_port=port,
        request_model=model.model,
        streamed=run.streams,
        parameters=model.parameters,
        content=content,
        content_bytes=content_bytes,
    )


def _said(call: ModelCall, outcome: Outcome) -> Attribution:
    """What the request itself says, the way OpenRouter takes it; and that it was none, if a cache answered."""
    extra, user = as_fields(call.params.get("extra_body")), call.params.get("user")
    said = attribution_in(extra, extra.get("user") if user is None else user)
    return said.over(Attribution(metadata={CACHE_HIT: True})) if _is_free(outcome) else said


def _is_free(outcome: Outcome) -> bool:
    return outcome.cost is not None and outcome.cost.source == "gateway" and outcome.cost.total == 0


def _address(model: LangChainModel) -> tuple[str | None, int | None]:
    base = model.base_url
    if base is None:
        base = next(filter(None, map(os.environ.get, BASES.get(model.word or "", ()))), None)
    return address_in(base or "")


def _content(call: ModelCall) -> tuple[object, int]:
    """What was asked, and roughly its size in bytes."""
    if not call.sink.keeps_content:
        return None, 0
    prompt = call.operation == "text_completion"
    return snapshot({"prompt": call.asked} if prompt else langchain_messages(call.asked))


def _step(run: Run, ending: Ending) -> Generation:
    """A run that costs nothing itself, in its place between the calls below it and the runs above it."""
    root, around = run.root, run.around(itself=True)
    attribution, parent, _ = in_force_then(NOBODY, state.defaults, around, root.span_parent)
    named = Attribution(generation_name=run.name, trace_name=attribution.trace_name or root.name).over(attribution)
    failure = _failure(ending)
    return Generation(
        id=run.step_id,
        operation=run.kind,
        library="langchain",
        timing=Timing(started=run.started, ended=run.ended or run.now()),
        failure=None if failure is None else Failure(type=failure.type),
        role="step",
        attribution=named,
        span_parent=parent,
    )
