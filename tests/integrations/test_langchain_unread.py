"""Calls of LangChain's of which the answer is read after they have returned."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._identity import SeenIds
from ramp_tracing._journal._line import decode, encode
from ramp_tracing._record import Attribution, Generation, Recorded, whole
from ramp_tracing._recorder import ReadLater
from ramp_tracing._state import state
from ramp_tracing.integrations import _langchain_calls
from ramp_tracing.integrations._langchain_handler import Options, Told
from ramp_tracing.testing import FakeRamp
from tests.normalizers.test_langchain_lean import ANTHROPIC, CALL, OPENAI, SAID, result
from tests.ports import free_port

ROOT: Final = Path(__file__).resolve().parents[2]

MODEL: Final = {
    "name": "ChatOpenAI",
    "kwargs": {"model_name": "gpt-4o", "openai_api_base": "https://llm.example:8443/v1"},
}
"""As LangChain describes one."""


class Keeping:
    """A sink that keeps what it is given, as it is."""

    keeps_content = True

    def __init__(self) -> None:
        self.records: list[Recorded] = []
        self.record = self.records.append

    def stand_by(self) -> None:
        """Nothing to prepare."""


class Handler(Told):
    """Ours, where there is no LangChain."""

    def __init__(self, **given: Any) -> None:
        self._ramp = Options(Attribution(**given), None, everywhere=False)


@pytest.fixture
def a_new_process() -> Iterator[Keeping]:
    """Nothing was recorded before; yields where records go."""
    sink: Any = Keeping()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(state, "sink", sink)
        patched.setattr(state, "seen", SeenIds())
        yield sink
        assert {} == state.runs


def message(kind: str = "human", content: Any = "Hello?", **more: Any) -> Any:
    return SimpleNamespace(type=kind, content=content, **more)


def ask(told: Any, messages: Any = None, *, streamed: bool = False, serialized: Any = MODEL, **more: Any) -> None:
    """Tell our handler of a call, as LangChain would."""
    handler, run_id, given = Handler(user="ada"), uuid4(), {"run_id": uuid4(), "parent_run_id": None}
    told_of: dict[str, Any] = {
        "tags": [], "metadata": {"ls_provider": "openai"}, "invocation_params": {"model": "gpt-4o"}, **more,
    }  # fmt: skip
    handler.on_chain_start(None, {}, name="books", tags=[], metadata={}, **given)
    family = {"run_id": run_id, "parent_run_id": given["run_id"]}
    handler.on_chat_model_start(serialized, [messages or [message()]], **family, **told_of)
    if streamed:
        handler.on_llm_new_token("Hel", **family)
    handler.on_llm_end(told, **family)
    handler.on_chain_end({}, **given)


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every answer read at once."""
    monkeypatch.setattr(_langchain_calls, "unread", lambda *_: None)


def without_time(generation: Generation) -> Generation:
    """*generation* as any call like it, with an id of nobody's and no size, which is reckoned roughly."""
    assert generation.timing.started <= (generation.timing.first_chunk or generation.timing.started)
    assert (generation.timing.first_chunk or generation.timing.started) <= generation.timing.ended
    attribution = replace(generation.attribution, trace_id=None)
    known = generation.id if generation.id == generation.response_id else "fresh"
    streamed_at = None if generation.timing.first_chunk is None else 1
    timing: Any = (generation.streamed, streamed_at)
    return replace(generation, id=known, attribution=attribution, timing=timing)  # type: ignore[arg-type]


def after_a_crash(recorded: Recorded) -> Generation:
    """What the line in the journal says by itself."""
    decoded = decode(encode(recorded).line.rstrip(b"\n"))
    assert decoded is not None
    return decoded.generation


PARAMETERS: Final = st.dictionaries(
    st.sampled_from(
        ["model", "temperature", "max_tokens", "seed", "stop", "user", "speed", "model_kwargs", "extra_body"]
    ),
    st.one_of(
        st.none(), st.integers(0, 2**65), st.floats(0, 9), st.sampled_from(["gpt-4o", "fast"]),
        st.just({"speed": "fast"}), st.just({"session_id": "s-1", "trace": {"team": "search"}}),
    ),
    max_size=3,
)  # fmt: skip
MESSAGE: Final = st.one_of(
    st.builds(message, st.sampled_from(["human", "system", "ai", "tool", "function", "odd"]), st.text(max_size=3)),
    st.just(message("ai", "", tool_calls=[CALL])),
    st.just(message("tool", "12", tool_call_id="call_1")),
    st.just(message("human", [{"type": "text", "text": "What is this?"}])),
    st.just({"type": "human", "content": "Hello?"}),
)
ANSWER: Final = st.sampled_from([
    result(), result(ANTHROPIC), result({"model_name": "gpt-4o"}), result(tool_calls=[CALL]), result({}),
    result(usage_metadata=None), result({**OPENAI, "id": "short"}), result({**OPENAI, "cost": 0.25}),
    result(usage_metadata={**SAID, "total_cost": 0}),
])  # fmt: skip
METADATA: Final = st.dictionaries(
    st.sampled_from(["ls_provider", "ls_model_name", "lc_versions", "user_id", "thread_id", "cost_center", "teams"]),
    st.one_of(
        st.sampled_from(["openai", "anthropic", "litellm", "u-1", ""]), st.none(), st.integers(0, 9), st.just(["a"])
    ),
    max_size=4,
)


@settings(deadline=None)
@given(
    answer=ANSWER, params=PARAMETERS, metadata=METADATA, streamed=st.booleans(),
    messages=st.lists(MESSAGE, max_size=3), tags=st.lists(st.sampled_from(["beta", "seq:step:1"]), max_size=2),
    serialized=st.sampled_from([MODEL, {}, None, {"name": "Chat", "kwargs": {"speed": "fast"}}]),
)  # fmt: skip
def test_two_roads_lead_to_one_record(answer: Any, messages: Any, streamed: bool, **told: Any) -> None:
    """Reading an answer later, at once, or after a crash makes the same record of it."""
    told["invocation_params"] = told.pop("params")
    sink: Any = Keeping()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(state, "sink", sink)
        for is_later in (True, False):
            patched.setattr(state, "seen", SeenIds())
            if not is_later:
                at_once(patched)
            ask(deepcopy(answer), deepcopy(messages), streamed=streamed, **deepcopy(told))
    later, read = sink.records
    assert isinstance(read, Generation)
    expected = without_time(read)
    found = after_a_crash(later)
    assert without_time(whole(later)) == expected
    assert without_time(found) == without_time(after_a_crash(read))
    assert (found.id, found.timing) == (whole(later).id, whole(later).timing)


def test_an_ordinary_answer_is_read_later(a_new_process: Keeping) -> None:
    """And only then; what is written down meanwhile has its usage, its ids, and who and what it was for."""
    ask(result(), streamed=True, metadata={"ls_provider": "openai", "cost_center": "CC-1"}, name="greet")
    [recorded] = a_new_process.records
    assert isinstance(recorded, ReadLater)
    found = after_a_crash(recorded)
    assert (found.usage.input_tokens, found.usage.cache_read_tokens, found.usage.output_tokens) == (170, 100, 30)
    assert (found.id, found.response_model, found.service_tier) == (OPENAI["id"], OPENAI["model_name"], "default")
    assert (found.finish_reasons, found.streamed, found.server_address) == (("stop",), True, "llm.example")
    assert (found.attribution.user, found.attribution.trace_name) == ("ada", "books")
    assert (found.attribution.generation_name, dict(found.attribution.metadata)) == ("greet", {"cost_center": "CC-1"})
    assert b"Hello" not in encode(recorded).line


def test_what_the_application_changes_afterwards_is_not_in_it(a_new_process: Keeping) -> None:
    """Messages, answers and metadata are its own."""
    asked, told = [message(), message("ai", "", tool_calls=[deepcopy(CALL)])], result(tool_calls=[CALL])
    metadata: dict[str, Any] = {"teams": ["search"]}
    params = {"model": "gpt-4o", "temperature": 0.5}
    ask(told, asked, metadata=metadata, invocation_params=params)
    asked[0].content = asked[1].tool_calls[0]["args"]["words"][0] = "changed"
    [[answer]] = told.generations
    answer.message.content = "changed"
    answer.message.tool_calls[0]["args"]["words"].append("changed")
    answer.message.usage_metadata["input_tokens"] = 1
    answer.message.response_metadata["model_name"] = "changed"
    metadata["teams"].append("changed")
    params.update(model="changed", temperature=1.0)
    asked.clear()
    [recorded] = a_new_process.records
    assert isinstance(recorded, ReadLater)
    read = recorded.whole()
    assert "changed" not in repr((read, None if read.content is None else (read.content.input, read.content.output)))
    assert (read.usage.input_tokens, dict(read.parameters)) == (170, {"temperature": 0.5})


@pytest.mark.parametrize(
    "asked",
    [
        message(["no", "word"]),
        message({"for": "who speaks"}),
        message(None, None),
        SimpleNamespace(content="Hello?"),
        "Hello?",
        None,
    ],
)
def test_a_message_of_an_odd_form_takes_no_call_with_it(a_new_process: Keeping, asked: Any) -> None:
    """Applications make messages of their own."""
    ask(result(), [asked, message()])
    [recorded] = map(whole, a_new_process.records)
    assert (recorded.usage.input_tokens, recorded.id) == (170, OPENAI["id"])
    assert recorded.content is not None
    said: Any = recorded.content.input
    assert said["messages"][-1] == {"role": "user", "content": "Hello?"}


@pytest.mark.parametrize("answer", [result(), result(usage_metadata={**SAID, "total_cost": 1})])
def test_a_message_that_cannot_be_read_takes_no_call_with_it(
    a_new_process: Keeping, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    """Whether the answer is read later or at once: what it cost is recorded."""

    class Closed:
        @property
        def content(self) -> str:
            raise RuntimeError

    monkeypatch.setattr(state, "strict", False)
    ask(answer, [Closed()])
    [recorded] = map(whole, a_new_process.records)
    assert (recorded.usage.input_tokens, recorded.id) == (170, OPENAI["id"])
    assert recorded.content is not None
    assert recorded.content.input is None
    assert recorded.content.output == {"completion": "Hello.", "reasoning": None}


def test_a_body_of_an_odd_kind_takes_no_call_with_it(a_new_process: Keeping) -> None:
    """What is no mapping says nothing of who a call is for."""

    class Neither:
        def __bool__(self) -> bool:
            raise ValueError

    ask(result(), invocation_params={"model": "gpt-4o", "extra_body": Neither()})
    [recorded] = map(whole, a_new_process.records)
    assert recorded.attribution.user == "ada"


def test_a_name_that_is_no_text_is_none(a_new_process: Keeping) -> None:
    """Then it has that of its class."""
    ask(result(), name=7)
    [recorded] = map(whole, a_new_process.records)
    assert recorded.attribution.generation_name == "ChatOpenAI"


def test_tags_are_those_that_a_run_began_with(a_new_process: Keeping) -> None:
    """The list is that of LangChain's manager, or of an application that has its own, and may be used on."""
    tags, told = ["beta"], {"run_id": uuid4(), "invocation_params": {"model": "gpt-4o"}}
    handler = Handler()
    handler.on_chat_model_start(MODEL, [[message()]], tags=tags, **told)
    tags.append("gamma")
    handler.on_llm_end(result(), **told)
    [recorded] = map(whole, a_new_process.records)
    assert dict(recorded.attribution.metadata) == {"tags": ["beta"]}


def test_what_a_tool_is_given_is_not_kept_alive(a_new_process: Keeping) -> None:
    """It may be a whole state of the application's, and nothing of it is ever read."""
    import gc
    import weakref

    class Thing:
        pass

    thing, handler, told = Thing(), Handler(), {"run_id": uuid4(), "tags": [], "metadata": {}}
    gone = weakref.ref(thing)
    handler.on_tool_start({"name": "tool"}, "text", inputs={"state": thing}, **told)
    del thing
    gc.collect()
    assert gone() is None
    handler.on_tool_end(None, **told)
    assert a_new_process.records == []


def test_in_privacy_mode_it_is_read_at_once(a_new_process: Keeping) -> None:
    """There is nothing to be kept of it."""
    a_new_process.keeps_content = False
    ask(result())
    [recorded] = a_new_process.records
    assert isinstance(recorded, Generation)
    assert (recorded.content, recorded.usage.input_tokens) == (None, 170)


def test_what_is_kept_is_let_go(a_new_process: Keeping) -> None:
    """Neither the run nor its answer is kept alive by the record of it."""
    import gc
    import weakref

    class Answer(SimpleNamespace):
        pass

    told = Answer(**vars(result()))
    gone = weakref.ref(told)
    ask(told)
    del told
    gc.collect()
    assert gone() is None
    assert len(a_new_process.records) == 1


PROGRAM: Final = """
    import os, signal, sys
    os.environ["LANGSMITH_TRACING"] = "false"
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGeneration, ChatResult
    import ramp_tracing

    class Model(BaseChatModel):
        @property
        def _llm_type(self):
            return "house"

        def _generate(self, messages, stop=None, run_manager=None, **kwargs):
            usage = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500,
                     "input_token_details": {"cache_read": 400}}
            metadata = {"model_name": "gpt-4o-2024-08-06", "id": "chatcmpl-Killed123456", "finish_reason": "stop"}
            message = AIMessage("A secret.", usage_metadata=usage, response_metadata=metadata)
            return ChatResult(generations=[ChatGeneration(message=message)])

        def _get_ls_params(self, *args, **kwargs):
            return {"ls_provider": "openai", "ls_model_name": "gpt-4o", "ls_model_type": "chat"}

    ramp_tracing.instrument("langchain", api_key="test", base_url=sys.argv[1], state_dir=sys.argv[2])
    config = {"run_name": "greet", "metadata": {"user_id": "ada", "cost_center": "CC-1"}, "tags": ["beta"]}
    Model().invoke("Hello?", config)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_leaves_the_same_money(tmp_path: Path) -> None:
    """Right after the call: the next one to report from there sends all but what was said."""
    pytest.importorskip("langchain_core")
    import ramp_tracing

    port = free_port()
    url = f"http://127.0.0.1:{port}/developer/v1/ai-usage/openrouter"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    program = [sys.executable, "-c", textwrap.dedent(PROGRAM), url, str(tmp_path)]
    killed = subprocess.run(program, env=environment, check=False, timeout=120)
    assert killed.returncode == -9
    written = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    assert b"chatcmpl-Killed123456" in written
    assert b"secret" not in written
    with FakeRamp(port=port) as ramp:
        ramp_tracing.instrument("openai", api_key="test", base_url=url, state_dir=str(tmp_path))
        try:
            [span] = ramp.wait_for(1, 60)
        finally:
            ramp_tracing.uninstrument()
    said = span.attributes
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (1000, 500)
    assert (said["gen_ai.usage.input_tokens.cached"], said["gen_ai.response.id"]) == (400, "chatcmpl-Killed123456")
    assert Decimal(str(said["gen_ai.usage.total_cost"])) == Decimal("0.007")
    assert (said["user.id"], said["trace.metadata.cost_center"]) == ("ada", "CC-1")
    assert (said["gen_ai.response.finish_reason"], json.loads(str(said["trace.metadata.tags"]))) == ("stop", ["beta"])
    assert "gen_ai.completion" not in said
