"""
What LiteLLM tells a callback of one call.

The shapes: ``kwargs`` and ``response_obj`` of a custom callback and the logging payload in it,
https://docs.litellm.ai/docs/observability/custom_callback and https://docs.litellm.ai/docs/proxy/logging_spec.
The payload is redacted where LiteLLM was told to, the rest is not: content is read from the payload alone. It has 0 for
a cost and for counts that are unknown: they are read from elsewhere, or not at all.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from .._dataclass import dataclass
from .._record import Attribution, Drafts, Failure, Outcome, Timing, UnixNanos, changed
from ._chat import CHAT, completion, message_of
from ._failures import failure_of
from ._formats import WireFormat
from ._json import parse
from ._litellm_attribution import litellm_attribution, trace_id_in
from ._litellm_content import asked_in, is_redacted
from ._litellm_money import cost_in, is_estimated, money_in, usage_in
from ._litellm_names import KINDS, Told, attempt_of, own_id
from ._litellm_passed import NOBODY, PASSED, Passed, passed_through
from ._parameters import numbers_in
from ._reading import as_fields, as_items, as_name, dig, with_members
from ._responses import RESPONSES


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteLLMCall:
    """
    One call, as LiteLLM tells of its end.

    Attributes:
        key: LiteLLM's id of the call; a fallback has the id of what it stands in for.
        attempt: What tells its attempts apart.
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
    attempt: object
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


def read_litellm(
    call: Mapping[str, object], answer: object, *, ok: bool, paid: str | None = None
) -> LiteLLMCall | None:
    """
    What a callback was told.

    Args:
        call: Its ``kwargs``.
        answer: Its ``response_obj``.
        ok: Whether it was told of a success.
        paid: What the provider had answered before this attempt failed.

    Returns:
        `None` where nothing was bought: files, lists, an endpoint that nobody knows and that reports neither usage
        nor cost.
    """
    told = Told(call)
    passed = passed_through(told, answer) if ok else None
    if passed is not None:
        return _passed(told, passed)
    read = _outcome(told, answer, ok=ok, paid=Outcome(complete=False) if paid is None else read_paid(paid))
    outcome = _counted(told, read, ok=ok)
    if told.name not in KINDS and not outcome.usage.known and not (outcome.cost and outcome.cost.total):
        return None
    return _said(told, outcome, ok=ok)


def _passed(told: Told, passed: Passed) -> LiteLLMCall | None:
    """What went through the proxy as it was; a list of files or models has no model and no usage, and is no call."""
    told.kind, cost = passed.kind, cost_in(told, passed.outcome.cost)
    if not (passed.outcome.usage.known or passed.asked.get("model") or cost):
        return None
    said = _said(told, changed(passed.outcome, cost=cost, output=None), ok=True)
    model = None if said.model == NOBODY else said.model
    return changed(
        said,
        was_sent=True,
        model=model or as_name(passed.asked.get("model")),
        api_base=said.api_base or passed.url,
    )


def _said(told: Told, outcome: Outcome, *, ok: bool) -> LiteLLMCall:
    call, payload, money = told.call, told.payload, money_in(told)
    attribution = litellm_attribution(call)
    if told.name in PASSED and attribution.user == NOBODY:
        attribution = changed(
            attribution, user=as_name(dig(call, "passthrough_logging_payload", "request_body", "user"))
        )
    made = CALLS.begin()
    made.key, made.kind, made.operation, made.ok = str(call.get("litellm_call_id")), told.name, told.kind.operation, ok
    made.attempt = attempt_of(call, payload)
    made.was_sent = told.provider is not None and not call.get("litellm_no_upstream_llm_call")
    made.cached, made.provider, made.model, made.streamed = told.is_cached, told.provider, told.model, told.is_streamed
    made.api_base = as_name(payload.get("api_base")) or as_name(dig(call, "litellm_params", "api_base"))
    made.timing = _timing(told)
    made.parameters = numbers_in(as_fields(call.get("optional_params")))
    made.attribution = changed(attribution, metadata={**attribution.metadata, **money}) if money else attribution
    made.trace_id = trace_id_in(call)
    made.asked = asked_in(told)
    made.outcome = outcome
    return CALLS.end(made)


CALLS: Final = Drafts(LiteLLMCall)
TIMINGS: Final = Drafts(Timing)


def _counted(told: Told, outcome: Outcome, *, ok: bool) -> Outcome:
    """With a mark if the counts are not the provider's, and with what is to be counted in the request."""
    usage = outcome.usage
    if is_estimated(told, usage) or (told.is_streamed and not ok and usage.known):
        usage = changed(usage, estimated=True)
    spoken = _spoken_characters(told)
    if spoken is not None:
        usage = changed(usage, input_characters=spoken)
    return outcome if usage is outcome.usage else changed(outcome, usage=usage)


def read_paid(answer: str) -> Outcome:
    """
    What was answered to a call of which LiteLLM does not say that it went well.

    It may have failed after that: the answer broke a rule of the application's, or was not of the form that it had
    asked for (``enable_json_schema_validation``). It is paid for all the same.

    Args:
        answer: The provider's, as it came.
    """
    read = CHAT.read(parse(answer.encode(errors="replace")))
    if not read.usage.known or read.failure is not None:
        return Outcome(complete=False)
    return Outcome(response_id=read.response_id, response_model=read.response_model, usage=read.usage, complete=False)


def _outcome(told: Told, answer: object, *, ok: bool, paid: Outcome) -> Outcome:
    response, form = told.payload.get("response"), told.kind.format
    inner = dig(answer, "response") if form is RESPONSES else None
    whole = answer if inner is None else inner  # the last event of a stream
    form = CHAT if form is RESPONSES and dig(whole, "choices") is not None else form  # of a model that has no responses
    read = form.read(whole) if ok else paid
    return changed(
        read,
        response_id=own_id(read.response_id),
        response_model=told.without_prefix(read.response_model),
        usage=usage_in(told, read.usage),
        cost=cost_in(told, read.cost),
        failure=read.failure if ok else _failure(told.call),
        output=None if is_redacted(response) else _output(form, response),
    )


def _output(form: WireFormat, response: object) -> object:
    """What of an answer is content; for a chat without reading the rest of it, which costs ten times as much."""
    if form is not CHAT:
        return form.read(response).output
    choices = as_items(dig(response, "choices"))
    return completion([message_of(with_members(each)) for each in choices])


def _spoken_characters(told: Told) -> int | None:
    """Length of a text to be spoken, by which speech is billed."""
    text = told.call.get("input") if told.name == "speech" else None
    return len(text) if isinstance(text, str) else None


def _timing(told: Told) -> Timing:
    """A whole answer's "completion start" is its end."""
    payload, said = told.payload.get, told.call.get
    started = _instant(payload("startTime")) or _moment(said("start_time"))
    ended = _instant(payload("endTime")) or _moment(said("end_time"))
    first = _instant(payload("completionStartTime")) if told.is_streamed else None
    start = started or ended or UnixNanos(0)
    made: Any = TIMINGS.begin()
    made.started, made.ended, made.first_chunk = start, max(ended or start, start), first
    return TIMINGS.end(made)


def _instant(value: object) -> UnixNanos | None:
    """Seconds since 1970, to the microsecond."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        return None
    return UnixNanos(round(value * 1_000_000) * 1_000)


def _moment(value: object) -> UnixNanos | None:
    """The same where the application keeps it out of the payload (``standard_logging_payload_excluded_fields``)."""
    return _instant(value.timestamp()) if isinstance(value, datetime) else None


def _failure(call: Mapping[str, object]) -> Failure:
    error = call.get("exception")
    if isinstance(error, BaseException):
        return failure_of(error)
    return Failure(type="error", message=as_name(error))
