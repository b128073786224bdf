"""
The examples of examples/fleets run as they are, and the manifests beside them say what the package understands.

Those of frameworks run where the framework is installed: `nox -s fleets` has them all.
"""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

import ramp_tracing
from ramp_tracing._config._options import DEFAULT_BASE_URL, OPTIONS
from ramp_tracing.testing import ReceivedSpan

from .docs.stage import Stage, stage
from .ports import free_port

ROOT: Final = Path(__file__).parents[1]
EXAMPLES: Final = ROOT / "examples"
FLEETS: Final = EXAMPLES / "fleets"
WHO: Final = {"X-User": "ada", "X-Cost-Center": "CC-1234"}


@pytest.fixture(name="at")
def where_it_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Keys, addresses and servers."""
    with stage(monkeypatch) as at:
        yield at


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An example as a module of its own, forgotten afterwards."""
    spec = importlib.util.spec_from_file_location(name, FLEETS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def reported(at: Stage, count: int = 1) -> list[ReceivedSpan]:
    """What arrived after a flush."""
    assert ramp_tracing.flush(30)
    assert len(at.ramp.generations) == count
    return at.ramp.generations


def assert_for_ada(call: ReceivedSpan) -> None:
    said = [call.attributes.get(f"trace.metadata.{key}") for key in ("team", "cost_center")]
    assert (call.attributes["user.id"], *said) == ("ada", "support", "CC-1234")


def test_fastapi(at: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The middleware's block reaches the call; a request that names nobody is nobody's."""
    pytest.importorskip("fastapi", reason="nox -s fleets has it")
    testclient = pytest.importorskip("starlette.testclient", reason="nox -s fleets has it", exc_type=RuntimeError)
    with testclient.TestClient(load("fastapi_app", monkeypatch).app) as web:
        assert web.post("/ask", params={"question": "Where?"}, headers=WHO).json() == {"answer": "Three of them."}
        assert web.post("/ask", params={"question": "Where?"}).status_code == 200
    first, second = reported(at, 2)
    assert_for_ada(first)
    assert "user.id" not in second.attributes


def test_django(at: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The middleware's block reaches the call."""
    pytest.importorskip("django", reason="nox -s fleets has it")
    load("django_app", monkeypatch)
    from django.test import Client

    answer = Client(headers={"x-user": "ada", "x-cost-center": "CC-1234"}).get("/ask", {"question": "Where?"})
    assert answer.json() == {"answer": "Three of them."}
    assert_for_ada(reported(at)[0])


def test_celery(at: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who a task is for goes through the broker with it, and ends with it."""
    pytest.importorskip("celery", reason="nox -s fleets has it")
    from celery.contrib.testing.worker import start_worker

    module = load("celery_app", monkeypatch)
    module.app.conf.result_backend = "cache+memory://"
    module.app.conf.worker_hijack_root_logger = False
    with start_worker(module.app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        assert module.submit("Where?", user="ada", cost_center="CC-1234").get(timeout=30) == "Three of them."
        assert module.answer.delay("And where?").get(timeout=30) == "Three of them."
    first, second = reported(at, 2)
    assert_for_ada(first)
    assert "user.id" not in second.attributes
    assert module.blocks == {}


def test_a_child_of_celery(at: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends by `os._exit`, after one task at the earliest, and sends what it has before."""
    prefork = pytest.importorskip("celery.concurrency.prefork", reason="nox -s fleets has it")
    module = load("celery_app", monkeypatch)
    child = os.fork()
    if not child:
        left = 100
        try:
            module.answer("Where?")
            prefork.process_destructor(os.getpid(), 0)
            left = ramp_tracing.stats().waiting
        finally:
            os._exit(left)
    assert os.waitpid(child, 0)[1] == 0
    assert len(at.ramp.generations) == 1


GREEN: Final = """
import ramp_tracing
ramp_tracing.instrument()  # gunicorn --preload loads the application, and so this, before its workers patch
from gevent import monkey
monkey.patch_all()
import gevent, openai, time
client, last, gaps = openai.OpenAI(), time.monotonic(), []
def ask():
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Where?"}])
asking = [gevent.spawn(ask) for _ in range(5)]
gevent.joinall(asking, raise_error=True)
assert ramp_tracing.flush(60)
print(ramp_tracing.stats().acknowledged)
"""


def test_gevent_after_the_application(at: Stage) -> None:
    """Greenlets go on while ours waits: it is a thread of the system's all the same."""
    pytest.importorskip("gevent", reason="nox -s fleets has it")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", GREEN],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ("5\n", 5) == (done.stdout, len(at.ramp.generations)), done.stderr


def test_lambda(at: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the handler has returned, nothing waits."""
    handler = load("lambda_handler", monkeypatch).handler
    event = {"question": "Where?", "user": "ada", "cost_center": "CC-1234"}
    assert handler(event, None) == {"answer": "Three of them."}
    assert ramp_tracing.stats().waiting == 0
    assert_for_ada(reported(at)[0])


def test_notebook(at: Stage) -> None:
    """Its cells run, twice too: the second time the options change and no call counts twice."""
    cells = json.loads((FLEETS / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    for _ in range(2):
        for cell in cells:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), names)
    names["client"].close()
    assert {each.attributes["trace.metadata.use_case"] for each in reported(at, 2)} == {"exploration"}


def test_gunicorn(at: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that are forked from a parent which has loaded the application report for themselves."""
    pytest.importorskip("gunicorn")
    place = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("BIND", place)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(FLEETS)]))
    command = [sys.executable, "-m", "gunicorn", "wsgi:application", "--config", str(FLEETS / "gunicorn_conf.py")]
    server = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        request = urllib.request.Request(f"http://{place}/", headers=WHO)
        assert answered(request) == b"Three of them."
        assert_for_ada(at.ramp.wait_for(1, timeout_seconds=60)[0])
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def answered(request: urllib.request.Request) -> bytes:
    """What a server says once it listens."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + 60
    while True:
        try:
            with opener.open(request, timeout=20) as answer:
                read: bytes = answer.read()
                return read
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


# --- manifests


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def variables(path: Path) -> set[str]:
    """The names of ours that a manifest sets."""
    found = {}
    if path.parent.name == "compose":
        services = documents(path)[0]["services"].values()
        found = {name for each in services for name in each["environment"]}
    else:
        containers = [one for each in documents(path) for one in each["spec"]["template"]["spec"]["containers"]]
        found = {variable["name"] for each in containers for variable in each["env"]}
    return {name for name in found if name.startswith("RAMP_")}


@pytest.mark.parametrize("path", [*EXAMPLES.glob("kubernetes/*.yaml"), *EXAMPLES.glob("compose/*.yaml")], ids=str)
def test_manifests_set_variables_that_exist(path: Path) -> None:
    """A misspelt variable would be read by nobody."""
    assert variables(path) <= {option.variable for option in OPTIONS.values()}
    assert "RAMP_API_KEY" in variables(path)


def test_the_collector_sends_to_ramp_and_forgets_nothing_at_a_restart() -> None:
    """Address, queue on disk, retries without end, and one request at a time."""
    [config] = documents(EXAMPLES / "collector" / "config.yaml")
    [exporter] = config["exporters"].values()
    queue = exporter["sending_queue"]
    assert exporter["traces_endpoint"] == DEFAULT_BASE_URL
    assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"
    assert (queue["num_consumers"], queue["block_on_overflow"]) == (1, True)
    assert queue["batch"]["max_size"] == OPTIONS["max_batch_spans"].default
    assert queue["storage"] in config["extensions"]
    assert set(config["service"]["extensions"]) == set(config["extensions"])
    pipeline = config["service"]["pipelines"]["traces"]
    assert (set(pipeline["receivers"]), set(pipeline["exporters"])) == (
        set(config["receivers"]),
        set(config["exporters"]),
    )


def test_every_example_of_a_fleet_is_tested() -> None:
    """No example was forgotten here."""
    known = {"fastapi_app.py", "django_app.py", "celery_app.py", "lambda_handler.py", "notebook.ipynb"}
    assert {each.name for each in FLEETS.glob("*.*")} == known | {"wsgi.py", "gunicorn_conf.py"}


# --- sizing


def test_the_page_on_sizing_says_what_is_measured() -> None:
    """Bytes and requests of docs/fleets.md, for a hundred calls of each form."""
    spec = importlib.util.spec_from_file_location("sizes", ROOT / "benchmarks" / "sizes.py")
    assert spec is not None
    assert spec.loader is not None
    sizes = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patches:
        patches.setitem(sys.modules, "sizes", sizes)
        spec.loader.exec_module(sizes)
        measured = [sizes.sent(sizes.at_once(100), **options).bytes / 100 for options in sizes.FORMS.values()]
        measured.append(sizes.on_disk(100) / 100)
    text = (ROOT / "docs" / "fleets.md").read_text(encoding="utf-8")
    said = [int(each.replace(",", "")) for each in re.findall(r"^\| [^|]+ \| ([\d,]+) \|", text, flags=re.MULTILINE)]
    assert measured == [pytest.approx(each, rel=0.1) for each in said]
