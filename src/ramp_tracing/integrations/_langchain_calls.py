"""From the end of a run of LangChain's to one record: of a model's call that nobody else records, or of a step."""

import os
import sys

from .._context import in_force_then
from .._guard import guarded
from .._identity import generation_id
from .._layers import Ending, Run
from .._normalizers import as_name, failure_of
from .._normalizers._langchain import is_free, read_langchain
from .._normalizers._langchain_models import LangChainModel, read_model
from .._record import (
    GENERATIONS,
    NOBODY,
    Attribution,
    Failure,
    Generation,
    Outcome,
    Recorded,
    Timing,
    answer,
    changed,
)
from .._recorder import ABANDONED, hand_over, sayable, timed
from .._state import Sink, state
from ._langchain_asked import ModelCall, in_force_for
from ._langchain_places import GEO, PLACES, SPEED, is_anothers
from ._langchain_unread import content_of, unread


def finish_run(run: Run, ending: Ending) -> None:
    """Record *run*, unless a layer below does or nothing is to be said of it."""
    if run.claimed:
        return
    try:
        if run.process != os.getpid():
            return
        call = run.call
        if isinstance(call, ModelCall):
            if ending.gone or isinstance(ending.error, GeneratorExit):
                _finish_elsewhere(run, call, ending)
            else:
                _record(run, call, ending)
        elif run.tells_all and not run.is_hidden and state.sink is not None:
            _finish_step(state.sink, run, ending)
    except BaseException:
        with guarded("recording a run of LangChain"):  # entered only now: it takes a part of each call
            raise


def _finish_elsewhere(run: Run, call: ModelCall, ending: Ending) -> None:
    """It may be the garbage collector that tells, at any line of any thread."""

    def record() -> None:
        with guarded("recording a call of LangChain"):
            _record(run, call, ending)

    call.sink.defer(record)


def _finish_step(sink: Sink, run: Run, ending: Ending) -> None:
    """Always elsewhere: of a chain that is streamed nothing says who tells of its end."""

    def record() -> None:
        with guarded("recording a step of LangChain"):
            sink.record(_step(run, ending))

    sink.defer(record)


def _record(run: Run, call: ModelCall, ending: Ending) -> None:
    recorded: Recorded | None = None
    try:
        recorded = unread(run, call, ending)
    except BaseException:
        with guarded("looking at an answer of LangChain's"):
            raise
    if recorded is None:
        model = read_model(call.serialized, call.params, run.metadata)
        outcome = _outcome(call, ending)
        if is_anothers(model.word, has_failed=outcome.failure is not None and not outcome.usage.known):
            return
        recorded = _generation(run, call, model, outcome)
    hand_over(call.sink, recorded)


def _outcome(call: ModelCall, ending: Ending) -> Outcome:
    """What was answered; of a stream that broke off, counts are what the provider had reported until then."""
    outcome = _on_terms(read_langchain(ending.result, call.params.get("tools")), call)
    failure = _failure(ending)
    if failure is None or is_free(outcome):
        return outcome
    if failure is ABANDONED and outcome.finish_reasons and outcome.usage.known:
        return outcome
    usage = changed(outcome.usage, estimated=True) if outcome.usage.known else outcome.usage
    return changed(outcome, failure=failure, usage=usage)


def _on_terms(outcome: Outcome, call: ModelCall) -> Outcome:
    """
    With the terms that were asked for, where the answer does not say them: LangChain hands on none of a stream of
    Anthropic's, and both raise the price: https://platform.claude.com/docs/en/about-claude/pricing
    """
    places = call.terms
    if not places:
        return outcome
    tier, geo = (next(filter(None, (as_name(place.get(name)) for place in places)), None) for name in (SPEED, GEO))
    return changed(outcome, service_tier=outcome.service_tier or tier, inference_geo=outcome.inference_geo or geo)


def _failure(ending: Ending) -> Failure | None:
    if ending.error is None:
        return ABANDONED if ending.gone else None
    return ABANDONED if isinstance(ending.error, GeneratorExit) else failure_of(ending.error)


def _generation(run: Run, call: ModelCall, model: LangChainModel, outcome: Outcome) -> Generation:
    """What `Recording` makes of a call, from where LangChain has it."""
    place = PLACES.get(call.serialized, model.word) or PLACES.find(model, call.serialized)
    attribution, span_parent, in_tree = in_force_for(run, call, is_free=is_free(outcome))
    made = GENERATIONS.begin()
    made.id = generation_id(outcome.response_id, state.seen)
    made.operation, made.library, made.timing = call.operation, "langchain", _timing(run)
    made.provider, made.server_address, made.server_port = place.provider, place.host, place.port
    made.request_model, made.streamed, made.parameters = model.model, run.streams, model.parameters
    answer(made, outcome)
    made.failure = sayable(outcome.failure, keeps_content=call.sink.keeps_content)
    made.role = "leaf" if in_tree else "call"
    made.attribution, made.span_parent = attribution, span_parent
    made.content = content_of(*call.content(), outcome) if call.sink.keeps_content else None
    return GENERATIONS.end(made)


def _timing(run: Run) -> Timing:
    return timed(run.started, run.ended or run.now(), run.first_chunk)


def _step(run: Run, ending: Ending) -> Generation:
    """A run that costs nothing itself, in its place between the calls below it and the runs above it."""
    root, around = run.root, run.around(itself=True)
    attribution, parent, _ = in_force_then(NOBODY, state.defaults, around, root.span_parent)
    named = Attribution(generation_name=run.name, trace_name=attribution.trace_name or root.name).over(attribution)
    failure = None if _leads_elsewhere(ending.error) else _failure(ending)
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


def _leads_elsewhere(error: BaseException | None) -> bool:
    """
    Whether it is how LangGraph leaves a node for a person's word or for another graph's node: nothing has failed.

    https://docs.langchain.com/oss/python/langgraph/interrupts
    """
    kind = getattr(sys.modules.get("langgraph.errors"), "GraphBubbleUp", None)
    return isinstance(kind, type) and isinstance(error, kind)
