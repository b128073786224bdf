"""What `import ramp_tracing; ramp_tracing.instrument()` costs: as modules, which do not depend on the machine."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from ramp_tracing.testing import FakeRamp

SOURCE = Path(__file__).resolve().parents[1] / "src"

FOREIGN = {
    "anthropic",
    "genai_prices",
    "google",
    "httpx",
    "httpx2",
    "langchain_core",
    "litellm",
    "openai",
    "opentelemetry",
    "orjson",
    "platformdirs",
    "wrapt",
}
"""Packages of others."""

DEAR = {
    "asyncio",
    "concurrent",
    "ctypes",
    "difflib",
    "email",
    "gzip",
    "http",
    "importlib.metadata",
    "importlib.util",
    "logging",
    "multiprocessing",
    "secrets",
    "selectors",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "tomllib",
    "urllib.request",
}
"""Modules of Python's own that take a millisecond, or bring those that do."""

FOR_LATER = {
    "ramp_tracing._by_hand",
    "ramp_tracing._config._prices",
    "ramp_tracing._context",
    "ramp_tracing._delivery._connection",
    "ramp_tracing._capture",
    "ramp_tracing._delivery._drainer",
    "ramp_tracing._export",
    "ramp_tracing._journal._file",
    "ramp_tracing._journal._journal",
    "ramp_tracing._journal._line",
    "ramp_tracing._journal._memory",
    "ramp_tracing._journal._spool",
    "ramp_tracing._layers",
    "ramp_tracing._normalizers",
    "ramp_tracing._pricing",
    "ramp_tracing._record._outcome",
    "ramp_tracing._recorder",
    "ramp_tracing._tracing",
    "ramp_tracing.cli",
    "ramp_tracing.integrations.openai",
    "ramp_tracing.local",
    "ramp_tracing.testing",
}
"""Rooms of ours: for the first library that is imported, for the thread that sends, for the command line."""

ROOMS = ("_capture", "_config", "_delivery", "_export", "_journal", "_layers", "_normalizers", "_pricing", "_record")

BEGINNING = """
import sys
there = set(sys.modules)
import ramp_tracing
ramp_tracing.instrument()
def loaded(names):
    new = set(sys.modules) - there
    return sorted(name for name in names if any(each == name or each.startswith(name + ".") for each in new))
"""


def run(program: str, state: Path, **variables: str) -> tuple[str, str]:
    """Run *program* in an interpreter of its own, to its end; what it printed, and what it wrote to standard error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAMP_", "OTEL_", "XDG_"))}
    environment |= {"PYTHONPATH": str(SOURCE), "HOME": str(state), "RAMP_API_KEY": "key", **variables}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip(), ended.stderr


def test_switching_on_loads_nothing_dear(tmp_path: Path) -> None:
    """Nor what the first library, the thread that sends, or a person will need; and the process ends in silence."""
    program = f"{BEGINNING}\nprint(loaded({FOREIGN | DEAR | FOR_LATER!r}))"
    assert run(program, tmp_path) == ("[]", "")


def test_naming_a_receiver_loads_what_tells_addresses_apart_and_no_more(tmp_path: Path) -> None:
    """A plain address must be one of this machine; that takes the sockets, which the thread needs anyway."""
    program = f"{BEGINNING}\nprint(loaded({FOREIGN | DEAR | FOR_LATER!r}))"
    assert run(program, tmp_path, RAMP_BASE_URL="http://127.0.0.1:9/x") == ("['selectors', 'socket']", "")


def test_what_is_listed_here_exists() -> None:
    """A room that is renamed would not be missed above."""
    for name in FOR_LATER:
        assert import_module(name).__name__ == name


@pytest.mark.parametrize("room", ROOMS)
def test_every_name_of_a_room_can_be_loaded(room: str) -> None:
    """Also those that are loaded when they are asked for; and no other is made up."""
    module = import_module(f"ramp_tracing.{room}")
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        module.nothing  # noqa: B018


def test_a_warning_is_written_by_a_program_that_does_not_log(tmp_path: Path) -> None:
    """The first line loads what writes it."""
    (tmp_path / ".local").write_text("no directory")
    program = f"{BEGINNING}\nprint(loaded({{'logging'}}))"
    printed, warned = run(program, tmp_path)
    assert printed == "['logging']"
    assert "cannot be written" in warned


def test_a_fault_of_ours_is_swallowed_where_nobody_has_imported_signals(tmp_path: Path) -> None:
    """Nobody can have set a handler then; nothing is imported to find that out."""
    program = f"""{BEGINNING}
from ramp_tracing._guard import guarded
with guarded("testing"):
    raise ValueError
print(loaded({{"signal"}}))
"""
    printed, warned = run(program, tmp_path)
    assert printed == "[]"
    assert "testing failed with ValueError" in warned


WATCH = """
import threading
from ramp_tracing._lazy import LOADING
from ramp_tracing._state import state
class Watch:
    found = []
    def find_spec(self, name, *_):
        worker = state.sink._worker if state.sink is not None else None
        protected = LOADING._is_owned() or worker is not None and worker._loading._is_owned()
        if threading.current_thread().name == "ramp-tracing" and not protected:
            self.found.append(name)
sys.meta_path.insert(0, Watch())
"""


def test_the_thread_imports_only_where_a_fork_waits_for_it(tmp_path: Path) -> None:
    """Else a child that is forked in the middle of it could never import that module, and no record of it be sent."""
    (tmp_path / "prices.json").write_text('{"prices": [{"model": "mine", "input": 1, "output": 2}]}')
    program = f"""{BEGINNING}{WATCH}
ramp_tracing.record_generation(model="mine", provider="mine", input_tokens=1, metadata={{"big": "x" * 9000}})
print(ramp_tracing.flush(20), ramp_tracing.flush(20))
ramp_tracing.record_generation(model="gpt-4o", provider="openai", input_tokens=1, output_tokens=1)
ramp_tracing.flush(20)
print(ramp_tracing.stats().dead, Watch.found)
"""
    with FakeRamp() as ramp:
        ramp.answer_with(503, headers={"Retry-After": "0"}, times=1)
        ramp.answer_with(200, times=1)
        ramp.answer_with(400)
        printed, _ = run(program, tmp_path, RAMP_BASE_URL=ramp.url, RAMP_TRACING_PRICES=str(tmp_path / "prices.json"))
    assert printed.splitlines()[-1] == "1 []"


def test_a_child_that_is_forked_before_the_first_call_records(tmp_path: Path) -> None:
    """As servers do that fork their workers: what was not loaded yet is loaded there."""
    program = f"""{BEGINNING}
import os
child = os.fork()
ramp_tracing.record_generation(model="m", input_tokens=1)
flushed = ramp_tracing.flush(20)
if child == 0:
    os._exit(0 if flushed else 1)
print(flushed, os.waitpid(child, 0)[1])
"""
    with FakeRamp() as ramp:
        printed, _ = run(program, tmp_path, RAMP_BASE_URL=ramp.url)
        assert printed == "True 0"
        assert len(ramp.generations) == 2


def test_a_record_made_at_the_end_of_the_process_is_sent(tmp_path: Path) -> None:
    """By a program that has recorded nothing before: everything is loaded while the interpreter ends."""
    program = f"""
import atexit
atexit.register(lambda: ramp_tracing.flush(20))
atexit.register(lambda: ramp_tracing.record_generation(model="m", input_tokens=1))
{BEGINNING}"""
    with FakeRamp() as ramp:
        assert run(program, tmp_path, RAMP_BASE_URL=ramp.url) == ("", "")
        assert len(ramp.generations) == 1


def test_a_fork_waits_for_what_a_thread_loads(tmp_path: Path) -> None:
    """Else a child that is forked in the middle of it waits for the module for ever, in its own first call."""
    program = f"""{BEGINNING}
import os, threading, time
from ramp_tracing._lazy import load
loading = threading.Event()
class Slow:
    def find_spec(self, name, *_):
        if name == "ramp_tracing._recorder":
            sys.meta_path.remove(self)
            loading.set()
            time.sleep(0.5)
sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=load, args=("ramp_tracing._recorder",))
thread.start()
loading.wait()
child = os.fork()
if child == 0:
    ramp_tracing.record_generation(model="m", input_tokens=1)
    os._exit(0 if ramp_tracing.stats().recorded == 1 else 1)
thread.join()
deadline = time.monotonic() + 60
while not (ended := os.waitpid(child, os.WNOHANG))[0] and time.monotonic() < deadline:
    time.sleep(0.01)
if not ended[0]:
    os.kill(child, 9)
    os.waitpid(child, 0)
print("ended" if ended[0] else "hangs", ended[1])
"""
    printed, _ = run(program, tmp_path)
    assert printed == "ended 0"


def test_the_journal_is_opened_once(tmp_path: Path) -> None:
    """Also when several threads record first: two would each count what is theirs."""
    program = f"""{BEGINNING}
import threading
together = threading.Barrier(8)
def record():
    together.wait()
    ramp_tracing.record_generation(model="m", input_tokens=1)
threads = [threading.Thread(target=record) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(ramp_tracing.stats().recorded, ramp_tracing.flush(20))
"""
    with FakeRamp() as ramp:
        printed, _ = run(program, tmp_path, RAMP_BASE_URL=ramp.url)
        assert printed == "8 True"
        assert len(ramp.generations) == 8


def test_a_program_that_takes_warnings_for_errors(tmp_path: Path) -> None:
    """Nothing of ours warns: neither of encodings that are not named, nor of files that are not closed."""
    program = "import ramp_tracing; ramp_tracing.instrument(); ramp_tracing.record_generation(model='m', provider='p')"
    strict = {"PYTHONWARNINGS": "error", "PYTHONWARNDEFAULTENCODING": "1", "PYTHONDEVMODE": "1"}
    with FakeRamp() as ramp:
        assert run(
            program, tmp_path, RAMP_BASE_URL=ramp.url, RAMP_TRACING_STATE_DIR=str(tmp_path / "own"), **strict
        ) == (
            "",
            "",
        )
        assert 1 == len(ramp.generations)


def test_ending_without_a_call_loads_nothing(tmp_path: Path) -> None:
    """Neither to wait for what was recorded, nor to shut down."""
    program = f"""{BEGINNING}
print(ramp_tracing.flush(20), ramp_tracing.shutdown(20))
ramp_tracing.uninstrument()
print(loaded({FOREIGN | DEAR | FOR_LATER!r}))
"""
    assert run(program, tmp_path) == ("True True\n[]", "")


def test_what_a_dead_process_left_is_sent_without_a_call(tmp_path: Path) -> None:
    """What is there is seen without loading what reads it."""
    recording = f"{BEGINNING}\nimport os\nramp_tracing.record_generation(model='m', input_tokens=1)\nos._exit(0)"
    waiting = f"""{BEGINNING}
import time
deadline = time.monotonic() + 60
while not ramp_tracing.stats().acknowledged and time.monotonic() < deadline:
    time.sleep(0.01)
print(ramp_tracing.stats().acknowledged)
"""
    with FakeRamp() as ramp:
        run(recording, tmp_path, RAMP_BASE_URL=ramp.url)
        assert len(ramp.generations) == 0
        assert run(waiting, tmp_path, RAMP_BASE_URL=ramp.url) == ("1", "")


def test_a_segment_of_a_living_process_loads_nothing(tmp_path: Path) -> None:
    """With many workers on a machine there is always one."""
    living = f"""{BEGINNING}
import subprocess
ramp_tracing.record_generation(model="m", input_tokens=1)
starting = {BEGINNING + f"print(loaded({FOREIGN | DEAR | FOR_LATER!r}))"!r}
print(subprocess.run([sys.executable, "-c", starting], capture_output=True, text=True, check=True).stdout.strip())
"""
    with FakeRamp() as ramp:
        ramp.answer_with(503)
        printed, _ = run(living, tmp_path, RAMP_BASE_URL=ramp.url)
    assert printed == "['selectors', 'socket']"
