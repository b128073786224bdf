"""
A call of LangChain's that is recorded before its answer has been read.

What has to be on disk when the application gets its answer, the usage and the ids, is taken out of it, and copies are
kept of what is content (`lean_langchain`); the thread that sends reads the rest.
"""

from functools import partial

from .._capture import snapshot
from .._guard import guarded
from .._identity import generation_id
from .._layers import Ending, Run
from .._normalizers import as_fields, parse
from .._normalizers._langchain import read_langchain
from .._normalizers._langchain_lean import LANGCHAIN, LeanResult, lean_langchain
from .._normalizers._langchain_models import model_in, read_model
from .._record import GENERATIONS, NOTHING_READ, Content, Generation, Lean, Outcome, UnixNanos, answer
from .._recorder import CONTENTS, ReadLater, timed, unchanging
from .._state import state
from ._langchain_asked import ModelCall, in_force_for, written_out
from ._langchain_places import PLACES


def content_of(asked: object, asked_bytes: int, outcome: Outcome) -> Content:
    """What was asked, as `ModelCall.content` has it, and answered."""
    output, output_bytes = snapshot(outcome.output)
    made = CONTENTS.begin()
    asked = written_out(asked)
    made.input, made.output, made.size_bytes = asked, output, asked_bytes + output_bytes
    return CONTENTS.end(made)


def unread(run: Run, call: ModelCall, ending: Ending) -> ReadLater | None:
    """The record of a model's run, to be read later; `None` where it has to be read now, or may not be ours."""
    if ending.error is not None or ending.gone or call.operation != "chat" or not call.sink.keeps_content:
        return None
    result = lean_langchain(ending.result)
    place = None if result is None else _place(run, call)
    if result is None or place is None:
        return None
    lean = Lean()
    lean.place = place
    lean.api_key_hash = lean.retries = lean.cost = None
    lean.started, lean.ended = run.started, run.ended or run.now()
    attribution, lean.span_parent, in_tree = in_force_for(run, call, is_free=False)
    lean.attribution, lean.role = unchanging(attribution), "leaf" if in_tree else "call"
    asked = call.content()
    lean.id, lean.format, lean.answer = generation_id(result.response_id, state.seen), LANGCHAIN.name, result.answer
    # By place: with names it takes twice as long.
    made = ReadLater(lean, partial(_read, (result, asked, run.first_chunk)))
    made.size_bytes = asked[1] + result.size_bytes
    return made


def _read(kept: tuple[LeanResult, tuple[object, int], UnixNanos | None], lean: Lean) -> Generation:
    """The record, from copies that nobody changes any more: of the answer and the request; and its first chunk."""
    result, asked, first_chunk = kept
    outcome = NOTHING_READ
    with guarded("reading an answer of LangChain's"):
        outcome = read_langchain(result.restored())
    made = GENERATIONS.begin()
    for name, value in as_fields(parse(lean.place)).items():
        setattr(made, name, value)  # the times are said below
    made.parameters = {name: value for name, value in made.parameters.items() if value is not None}
    made.timing = timed(lean.started, lean.ended, first_chunk)
    made.id, made.role = lean.id, lean.role
    made.attribution, made.span_parent = lean.attribution, lean.span_parent
    answer(made, outcome)
    made.content = content_of(*asked, outcome)
    return GENERATIONS.end(made)


def _place(run: Run, call: ModelCall) -> bytes | None:
    """
    Where it was sent, as it is written down.

    `None` where that cannot be, where LiteLLM may tell of the call, or where terms are asked for that raise the price.
    """
    metadata, params = run.metadata, call.params
    word = metadata.get("ls_provider")
    if word == "litellm" or call.may_have_terms or not (word is None or type(word) is str):
        return None
    place = PLACES.get(call.serialized, word)
    if place is None:
        place = PLACES.find(read_model(call.serialized, params, metadata), call.serialized)
    if place.has_terms:
        return None
    model = params.get("model")  # nearly always; `model_in` looks everywhere
    if type(model) is not str or not model:
        model = model_in(params, metadata)
    try:
        written = place.written(model, params, streamed=run.streams)
    except TypeError:  # a number of more than 64 bits
        return None
    if run.first_chunk is None:
        return written
    times = run.started, run.first_chunk, run.ended or run.now()
    return written[:-1] + b',"timing":{"start":%d,"first":%d,"end":%d}}' % times
