"""What is imported when, asked of fresh interpreters: nothing heavy on the caller, nothing before its time."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ramp_tracing.testing import FakeRamp
from tests.interpreters import needs_to_end_with_an_open_stream

from .provider import Provider

SOURCE = Path(__file__).resolve().parents[2] / "src"
FOREIGN = ("openai", "anthropic", "httpx", "httpx2", "litellm", "langchain_core")
HEAVY = ("opentelemetry.sdk", "opentelemetry.exporter", "google.protobuf", "genai_prices", "pydantic")

LOADED = f"""
import sys
def loaded(*names):
    return sorted(n for n in names if any(m == n or m.startswith(n + ".") for m in sys.modules))
FOREIGN, HEAVY = {FOREIGN!r}, {HEAVY!r}
"""


@pytest.fixture
def ramp() -> Iterator[FakeRamp]:
    with FakeRamp() as running:
        yield running


def run(program: str, ramp: FakeRamp | None = None, provider: Provider | None = None) -> str:
    """
    Run *program* in an interpreter of its own.

    Returns:
        What it printed.

    Raises:
        AssertionError: It failed, or wrote to standard error.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAMP_", "OTEL_"))}
    environment |= {"PYTHONPATH": str(SOURCE), "OPENAI_API_KEY": "sk-test"}
    if ramp is not None:
        environment |= {"RAMP_API_KEY": "key", "RAMP_BASE_URL": ramp.url}
    if provider is not None:
        environment |= {"OPENAI_BASE_URL": provider.base_url}
    done = subprocess.run(
        [sys.executable, "-c", LOADED + program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout.strip()


def test_importing_us_imports_nothing_foreign() -> None:
    """`import ramp_tracing` is free: no library that it hooks, and nothing that sends or prices."""
    assert "[] []" == run("import ramp_tracing; print(loaded(*FOREIGN), loaded(*HEAVY))")


def test_switching_on_imports_nothing_foreign(ramp: FakeRamp) -> None:
    """`instrument()` waits for the application's own imports; what sends is loaded by the thread that sends."""
    program = "import ramp_tracing; ramp_tracing.instrument(); print(loaded(*FOREIGN), loaded(*HEAVY))"
    assert "[] []" == run(program, ramp)


def test_switching_on_beside_openai_imports_nothing_heavy(ramp: FakeRamp) -> None:
    """Hooking a library that is there already costs its caller no import of ours either."""
    program = """
import openai
before = loaded(*HEAVY)
import ramp_tracing
ramp_tracing.instrument()
print(loaded(*HEAVY) == before, loaded("litellm", "langchain_core"))
"""
    assert "True []" == run(program, ramp)


CALL = """
client = openai.OpenAI(max_retries=0)
client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello?"}])
print(ramp_tracing.flush(30), ramp_tracing.stats().recorded)
"""


def test_openai_is_hooked_when_it_is_imported_later(ramp: FakeRamp) -> None:
    """The order of the two imports does not matter."""
    with Provider() as provider:
        assert "True 1" == run("import ramp_tracing; ramp_tracing.instrument(); import openai" + CALL, ramp, provider)
    assert 1 == len(ramp.generations)


def test_openai_is_hooked_when_it_was_imported_before(ramp: FakeRamp) -> None:
    """So does a client that was made before."""
    with Provider() as provider:
        assert "True 1" == run("import openai, ramp_tracing; ramp_tracing.instrument()" + CALL, ramp, provider)
    assert 1 == len(ramp.generations)


def test_a_fault_of_our_hook_does_not_reach_the_import(ramp: FakeRamp) -> None:
    """`import openai` works, and so do its calls, when what hooks it is broken."""
    program = """
import logging
logging.getLogger("ramp_tracing").addHandler(logging.NullHandler())
logging.getLogger("ramp_tracing").propagate = False
import ramp_tracing
from ramp_tracing.integrations import _doors
def broken(self):
    raise RuntimeError("of ours")
_doors.Doors.install = broken
ramp_tracing.instrument()
import openai
"""
    with Provider() as provider:
        assert "True 0" == run(program + CALL, ramp, provider)


def test_an_openai_of_another_make_does_no_harm(ramp: FakeRamp, tmp_path: Path) -> None:
    """A module of that name without the classes that we know is left alone."""
    (tmp_path / "openai.py").write_text("ChatCompletion = object\n")
    program = f"""
import logging
logging.getLogger("ramp_tracing").addHandler(logging.NullHandler())
logging.getLogger("ramp_tracing").propagate = False
sys.path.insert(0, {str(tmp_path)!r})
import ramp_tracing
ramp_tracing.instrument()
import openai
ramp_tracing.uninstrument()
print(openai.ChatCompletion)
"""
    assert "<class 'object'>" == run(program, ramp)


@needs_to_end_with_an_open_stream
@pytest.mark.parametrize("ending", ["", "raise SystemExit(0)"])
def test_a_stream_that_is_open_at_exit_is_recorded(ending: str, ramp: FakeRamp) -> None:
    """The process ends in the middle of a stream: what is known by then is sent before it does."""
    program = f"""
import ramp_tracing
ramp_tracing.instrument(exit_timeout_seconds=25)
import openai
client = openai.OpenAI(max_retries=0)
chunks = client.chat.completions.create(
    model="gpt-4o", messages=[{{"role": "user", "content": "Hello?"}}], stream=True
)
print(next(chunks).choices[0].delta.role)
{ending}
"""
    with Provider() as provider:
        assert "assistant" == run(program, ramp, provider)
    [span] = ramp.generations
    assert ("ERROR", "gpt-4o") == (span.attributes["span.level"], span.attributes["gen_ai.request.model"])


def test_waiting_for_an_import_costs_no_import(ramp: FakeRamp) -> None:
    """What wraps functions, and brings asyncio, comes with the library that needs it."""
    program = """
import ramp_tracing
ramp_tracing.instrument()
print(loaded("wrapt", "asyncio", "importlib.metadata"))
import openai
print(loaded("wrapt"))
ramp_tracing.shutdown()
"""
    assert run(program, ramp) == "[]\n['wrapt']"


BESIDE_OPENAI = """
import openai
client = openai.OpenAI(max_retries=0)
client.chat.completions
there = set(sys.modules)
import ramp_tracing
ramp_tracing.instrument()
"""

MAX_MODULES = 45
"""Of ours, at the start. Each costs its reader a file, some 200 microseconds and some 20 kB; there were 114."""

MAX_MODULES_OF_A_CALL = 72
"""On the thread of the first call, a chat that is not streamed: those of the journal too, unless the other is first."""

NOT_AT_THE_START = (
    "_capture",
    "_context",
    "_delivery._drainer",
    "_export",
    "_journal._file",
    "_journal._line",
    "_layers",
    "_normalizers._chat",
    "_normalizers._reading",
    "_pricing",
    "_record._outcome",
    "_recorder",
    "integrations._calls",
    "integrations._sockets",
    "integrations._stainless",
)
"""What watches a call, and what writes it down."""

NOT_WITH_A_CHAT = (
    "_layers._promises",
    "_layers._run",
    "_layers._slots",
    "_normalizers._audio",
    "_normalizers._embeddings",
    "_normalizers._jobs",
    "_normalizers._realtime",
    "_normalizers._responses",
    "integrations._sockets",
)
"""Other formats, and what finds out which library stands above a call, where none does."""


def test_what_watches_calls_is_not_loaded_before_the_first(ramp: FakeRamp) -> None:
    """In an application that has imported the client: hooking it takes few modules, none of another library's."""
    program = f"""{BESIDE_OPENAI}
new = set(sys.modules) - there
print([name for name in {NOT_AT_THE_START} if "ramp_tracing." + name in new])
print(sum(name.startswith("ramp_tracing") for name in new))
print(sorted({{name.partition(".")[0] for name in new}} - sys.stdlib_module_names))
"""
    early, count, foreign = run(program, ramp).splitlines()
    assert ("[]", "['ramp_tracing', 'wrapt']") == (early, foreign)
    assert int(count) <= MAX_MODULES


def test_the_first_call_loads_what_it_needs_and_no_more(ramp: FakeRamp) -> None:
    """No other format, nothing of libraries above; what writes it down is mostly loaded by the thread that sends."""
    program = f"""{BESIDE_OPENAI}
import threading
class Watch:
    found = []
    def find_spec(self, name, *_):
        if name.startswith("ramp_tracing") and threading.current_thread() is threading.main_thread():
            self.found.append(name.removeprefix("ramp_tracing."))
sys.meta_path.insert(0, Watch())
client.chat.completions.create(model="gpt-4o", messages=[{{"role": "user", "content": "Hello?"}}])
loaded = set(Watch.found)
print(sorted(loaded & {set(NOT_WITH_A_CHAT)}), "_normalizers._chat" in loaded, len(loaded))
print(ramp_tracing.flush(30), ramp_tracing.stats().recorded)
"""
    with Provider() as provider:
        loaded, recorded = run(program, ramp, provider).splitlines()
    assert "True 1" == recorded
    assert loaded.startswith("[] True ")
    assert int(loaded.split()[-1]) <= MAX_MODULES_OF_A_CALL


@pytest.mark.parametrize("broken", ["integrations._stainless", "_normalizers._chat", "_journal._file"])
def test_a_call_is_made_where_what_watches_it_cannot_be_loaded(broken: str, ramp: FakeRamp) -> None:
    """The files of the package may be gone by then, or be those of another version."""
    program = f"""{BESIDE_OPENAI}
import logging
logging.getLogger("ramp_tracing").addHandler(logging.NullHandler())
logging.getLogger("ramp_tracing").propagate = False
sys.modules["ramp_tracing.{broken}"] = None
for _ in range(2):
    print(client.chat.completions.create(model="gpt-4o", messages=[{{"role": "user", "content": "Hello?"}}]).id)
"""
    with Provider() as provider:
        first, second = run(program, ramp, provider).splitlines()
    assert first == second


def test_threads_that_make_the_first_calls_together_lose_none(ramp: FakeRamp) -> None:
    """Each waits until all is there that it needs."""
    program = f"""{BESIDE_OPENAI}
import threading
together = threading.Barrier(8)
def call():
    together.wait()
    client.chat.completions.create(model="gpt-4o", messages=[{{"role": "user", "content": "Hello?"}}])
threads = [threading.Thread(target=call) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(ramp_tracing.flush(30), ramp_tracing.stats().recorded)
"""
    with Provider() as provider:
        assert "True 8" == run(program, ramp, provider)
    assert 8 == len(ramp.generations)


def test_a_websocket_is_watched_though_nothing_is_loaded_for_it(ramp: FakeRamp) -> None:
    """Its classes are wrapped when a client has a part that opens one; what watches one comes with the first."""
    for part in ("openai.OpenAI(api_key='test')", "openai.AsyncOpenAI(api_key='test').with_options(timeout=1)"):
        program = f"""{BESIDE_OPENAI}
{part}.realtime
import openai.resources.realtime.realtime as realtime
print(hasattr(realtime.RealtimeConnection.parse_event, "__wrapped__"), loaded("ramp_tracing.integrations._sockets"))
"""
        assert "True []" == run(program, ramp)


@pytest.mark.parametrize("order", [
    "import ramp_tracing; ramp_tracing.instrument(); import openai",
    "import openai, ramp_tracing; ramp_tracing.instrument()",
])  # fmt: skip
def test_imports_of_the_application_are_not_slowed_down(order: str, ramp: FakeRamp) -> None:
    """The openai client tries for numpy for each vector, and Python asks every finder each time."""
    program = """
import sys, wrapt
before = list(sys.meta_path)
"""
    program += f"""{order}
openai.OpenAI(api_key="test").chat
waiting = [each for each in sys.meta_path if each not in before]
print([(type(each).__module__, each._name) for each in waiting if each._name == "openai" or each._name in sys.modules])
"""
    assert "[]" == run(program, ramp)


def test_a_library_whose_import_fails_at_first_is_hooked_the_next_time(ramp: FakeRamp, tmp_path: Path) -> None:
    """As one is that waits for another to be there."""
    program = f"""
import os
import ramp_tracing
from ramp_tracing.integrations._imports import when_imported
sys.path.insert(0, {str(tmp_path)!r})
told = []
when_imported("late", told.append)
try:
    import late
except ZeroDivisionError:
    os.environ["IS_THERE"] = "1"
import late
print(len(told), told[0] is late, late.__loader__.exec_module.__name__)
"""
    (tmp_path / "late.py").write_text("import os\nif 'IS_THERE' not in os.environ: 1 / 0\n")
    assert "1 True exec_module" == run(program, ramp)


LATE = """
import importlib.util
import ramp_tracing
from ramp_tracing.integrations._imports import when_imported
sys.path.insert(0, {path!r})
told = []
before = list(sys.meta_path)
when_imported("late", told.append)
"""


@pytest.mark.parametrize("looking", [
    "importlib.util.find_spec('late')",
    "import pkgutil; pkgutil.resolve_name('late')",
    "spec = importlib.util.find_spec('late'); spec.loader = importlib.util.LazyLoader(spec.loader); "
    "module = importlib.util.module_from_spec(spec); sys.modules['late'] = module; spec.loader.exec_module(module); "
    "assert not told; module.there",
])  # fmt: skip
def test_a_library_that_somebody_has_looked_for_is_hooked(looking: str, ramp: FakeRamp, tmp_path: Path) -> None:
    """Many find out like this whether it is installed, and import it later, or never."""
    (tmp_path / "late.py").write_text("there = True\n")
    program = f"""{LATE.format(path=str(tmp_path))}
{looking}
import late
loader = late.__loader__
print(len(told), told[0] is late, sys.meta_path == before, type(loader).__name__, late.__spec__.loader is loader)
"""
    assert "1 True True SourceFileLoader True" == run(program, ramp)


def test_a_library_whose_loader_is_for_many_is_hooked(ramp: FakeRamp, tmp_path: Path) -> None:
    """One object loads all that is in an archive; in between, on another thread, something else."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("late.py", "there = True\n")
        archive.writestr("other.py", "there = True\n")
    program = f"""{LATE.format(path=str(tmp_path / "all.zip"))}
spec = importlib.util.find_spec("late")
import other
print(told)
import late
print(len(told), told[0] is late, late.__loader__ is other.__loader__)
"""
    assert "[]\n1 True True" == run(program, ramp)


def test_a_library_is_hooked_once_beside_others_who_wait_for_it(ramp: FakeRamp, tmp_path: Path) -> None:
    """Another instrumentation's finder asks all finders, ours too, whether ours stands before it or behind."""
    (tmp_path / "late.py").write_text("there = True\n")
    for order in ("", "sys.meta_path.insert(0, sys.meta_path.pop(1))"):
        program = f"""import wrapt
others = []
{LATE.format(path=str(tmp_path))}
wrapt.register_post_import_hook(others.append, "late")
when_imported("late", others.append)
{order}
import late
print(len(told), len(others))
"""
        assert "1 2" == run(program, ramp)
