"""
What LiteLLM tells a callback of one call.

The shapes: ``kwargs`` and ``response_obj`` of a custom callback and the logging payload in it,
https://docs.litellm.ai/docs/observability/custom_callback and https://docs.litellm.ai/docs/proxy/logging_spec.
The payload is redacted where LiteLLM was told to, the rest is not: content is read from the payload alone. It has 0 for
a cost and for counts that are unknown: they are read from elsewhere, or not at all.
"""

from collections.abc import Mapping
from dataclasses import replace

from .._dataclass import dataclass
from .._record import Attribution, Failure, Outcome, Timing, UnixNanos
from ._failures import failure_of
from ._litellm_attribution import litellm_attribution, trace_id_in
from ._litellm_content import asked_in, is_redacted
from ._litellm_money import cost_in, is_estimated, money_in, usage_in
from ._litellm_names import KINDS, call_type_of, is_streamed, kind_of, model_in, own_id, provider_in, without_prefix
from ._parameters import numbers_in
from ._reading import as_fields, as_name, dig
from ._responses import RESPONSES


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteLLMCall:
    """
    One call, as LiteLLM tells of its end.

    Attributes:
        key: LiteLLM's id of the call; a fallback has the id of what it stands in for.
        attempt: What tells its attempts apart: when this one was handed to the provider.
        kind: LiteLLM's call type, without the ``a`` of the async one.
        operation: ``gen_ai.operation.name``.
        ok: Whether it went well.
        was_sent: Whether anything went to a provider; the proxy refuses requests, and tells of it as of a call.
        cached: It was answered from LiteLLM's cache.
        provider: Who was called; at an address of one's own it may be anybody.
        api_base: That address.
        model: The model that was asked for.
        streamed: Whether the answer came as a stream.
        timing: When.
        parameters: Request parameters that are numbers.
        attribution: Who and what for.
        trace_id: LiteLLM's own id for what belongs together.
        asked: What was asked, JSON-like; `None` where LiteLLM keeps it to itself.
        outcome: What was answered, with LiteLLM's price.
    """

    key: str
    attempt: str
    kind: str
    operation: str
    ok: bool
    was_sent: bool
    cached: bool
    provider: str | None
    api_base: str | None
    model: str | None
    streamed: bool
    timing: Timing
    parameters: Mapping[str, float]
    attribution: Attribution
    trace_id: str | None
    asked: object
    outcome: Outcome


def read_litellm(call: Mapping[str, object], answer: object, *, ok: bool) -> LiteLLMCall | None:
    """
    What a callback was told.

    Args:
        call: Its ``kwargs``.
        answer: Its ``response_obj``.
        ok: Whether it was told of a success.

    Returns:
        `None` where nothing was bought: files, lists, an endpoint that nobody knows and that reports neither usage
        nor cost.
    """
    name = call_type_of(call)
    outcome = _counted(call, _outcome(call, answer, ok=ok), ok=ok)
    if name not in KINDS and not outcome.usage.known and not (outcome.cost and outcome.cost.total):
        return None
    payload, attribution = as_fields(call.get("standard_logging_object")), litellm_attribution(call)
    provider, streamed = provider_in(call), is_streamed(call)
    return LiteLLMCall(
        key=str(call.get("litellm_call_id")),
        attempt=str(call.get("api_call_start_time") or payload.get("startTime")),
        kind=name,
        operation=kind_of(call).operation,
        ok=ok,
        was_sent=provider is not None and not call.get("litellm_no_upstream_llm_call"),
        cached=call.get("cache_hit") is True,
        provider=provider,
        api_base=as_name(payload.get("api_base")) or as_name(dig(call, "litellm_params", "api_base")),
        model=model_in(call),
        streamed=streamed,
        timing=_timing(payload, streamed=streamed),
        parameters=numbers_in(as_fields(call.get("optional_params"))),
        attribution=replace(attribution, metadata={**attribution.metadata, **money_in(call)}),
        trace_id=trace_id_in(call),
        asked=asked_in(call),
        outcome=outcome,
    )


def _counted(call: Mapping[str, object], outcome: Outcome, *, ok: bool) -> Outcome:
    """With a mark if the counts are not the provider's, and with what is to be counted in the request."""
    usage = outcome.usage
    if is_estimated(call, usage) or (is_streamed(call) and not ok and usage.known):
        usage = replace(usage, estimated=True)
    spoken = _spoken_characters(call)
    return replace(outcome, usage=usage if spoken is None else replace(usage, input_characters=spoken))


def _outcome(call: Mapping[str, object], answer: object, *, ok: bool) -> Outcome:
    form, payload = kind_of(call).format, as_fields(call.get("standard_logging_object"))
    inner = dig(answer, "response") if form is RESPONSES else None
    whole = answer if inner is None else inner  # the last event of a stream
    read = form.read(whole) if ok else Outcome(complete=False)
    usage = usage_in(call, read.usage)
    return replace(
        read,
        response_id=own_id(read.response_id),
        response_model=without_prefix(read.response_model, call),
        usage=usage,
        cost=cost_in(call, read.cost),
        failure=read.failure if ok else _failure(call),
        output=None if is_redacted(payload.get("response")) else form.read(payload.get("response")).output,
    )


def _spoken_characters(call: Mapping[str, object]) -> int | None:
    """Length of a text to be spoken, by which speech is billed."""
    text = call.get("input")
    return len(text) if call_type_of(call) == "speech" and isinstance(text, str) else None


def _timing(payload: Mapping[str, object], *, streamed: bool) -> Timing:
    """A whole answer's "completion start" is its end."""
    started, ended = _instant(payload.get("startTime")), _instant(payload.get("endTime"))
    first = _instant(payload.get("completionStartTime")) if streamed else None
    start = started or ended or UnixNanos(0)
    return Timing(started=start, ended=max(ended or start, start), first_chunk=first)


def _instant(value: object) -> UnixNanos | None:
    """Seconds since 1970, to the microsecond."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        return None
    return UnixNanos(round(value * 1_000_000) * 1_000)


def _failure(call: Mapping[str, object]) -> Failure:
    error = call.get("exception")
    if isinstance(error, BaseException):
        return failure_of(error)
    return Failure(type="error", message=as_name(error))
