"""Who a model of LangChain's is asked for."""

from contextlib import nullcontext
from typing import Any, Final
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._context import Block
from ramp_tracing._layers import Run
from ramp_tracing._record import NOBODY, Attribution, SpanParent
from ramp_tracing._state import Sink, state
from ramp_tracing.integrations._langchain_asked import CACHE_HIT, ModelCall, in_force_for

NAME: Final = st.sampled_from(["books", "RunnableSequence", "ChatPromptTemplate", "step", "_private"]) | st.none()
ATTRIBUTION: Final = st.just(NOBODY) | st.builds(
    Attribution,
    user=st.none() | st.just("ada"),
    trace_id=st.none() | st.just("ab" * 16),
    trace_name=st.none() | st.just("evening"),
    span_name=st.none() | st.just("level"),
    generation_name=st.none() | st.just("call"),
    metadata=st.dictionaries(st.sampled_from(["team", "tags"]), st.just("search"), max_size=2),
)
METADATA: Final = st.dictionaries(
    st.sampled_from(["ls_provider", "user_id", "user", "trace_name", "cost_center", "langfuse_tags", "tags"]),
    st.sampled_from(["openai", "u-1", 7, "", None]) | st.just(["later"]),
    max_size=3,
)
TAGS: Final = st.lists(st.sampled_from(["beta", "seq:step:1", "langsmith:hidden", "beta"]), max_size=3)
SPAN: Final = st.none() | st.just(SpanParent("cd" * 16, "ef" * 8))


def family(steps: list[dict[str, Any]], span: SpanParent | None, *, tells_all: bool) -> Run:
    """A model's run below others, the root first; all are open until the test ends."""
    parent = None
    for number, step in enumerate(steps, 1):
        told = {"run_id": uuid4(), "parent_run_id": parent, **step}
        run = Run("model" if number == len(steps) else "chain", told)
        run.tells_all = tells_all
        run.span_parent = span if parent is None or number == len(steps) else None
        state.runs[run.id], parent = run, run.id
    return run


@settings(deadline=None, max_examples=60)
@given(
    steps=st.lists(
        st.fixed_dictionaries({"name": NAME, "metadata": METADATA | st.none(), "tags": TAGS | st.none()}),
        min_size=1, max_size=4,
    ),
    handler=ATTRIBUTION, defaults=ATTRIBUTION, around=st.none() | ATTRIBUTION, span=SPAN, tells_all=st.booleans(),
    params=st.sampled_from([{}, {"user": "eve"}, {"extra_body": {"session_id": "s", "trace": {"team": "x"}}}]),
    is_free=st.booleans(),
)  # fmt: skip
def test_two_roads_lead_to_one_attribution(
    steps: Any, handler: Attribution, around: Attribution | None, span: SpanParent | None, **more: Any
) -> None:
    """Where nothing unusual is around a run it is found out in fewer steps, and is the same."""
    with pytest.MonkeyPatch.context() as patched, nullcontext() if around is None else Block(around):
        patched.setattr(state, "runs", {})
        patched.setattr(state, "defaults", more["defaults"])
        run = family(steps, span, tells_all=more["tells_all"])
        sink: Sink | Any = None
        call = ModelCall(sink, "chat")
        run.given, call.params, call.serialized = handler, more["params"], {"name": "ChatOpenAI"}
        run.serialized = call.serialized
        quickly = in_force_for(run, call, is_free=more["is_free"])
        patched.setattr(Run, "attributed", lambda *_: None)
        assert tuple(in_force_for(run, call, is_free=more["is_free"])) == quickly
        assert (CACHE_HIT in quickly[0].metadata) == more["is_free"]
