"""`ramp-tracing run`: real programs, none of which knows of us."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import tomllib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from ramp_tracing._autostart import SITE
from ramp_tracing._loopback import LoopbackServer
from ramp_tracing.cli._demo._models import answer_models
from ramp_tracing.testing import FakeRamp, ReceivedSpan

ROOT = Path(__file__).parents[2]

SECONDS = 240.0

CALL = """
import os, openai
client = openai.OpenAI(api_key="sk-none", base_url=os.environ["MODELS"], max_retries=0)
def call():
    return client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
"""


@dataclass(slots=True)
class Bench:
    """A receiver, a provider of models, a folder for a program, and the environment in which it runs."""

    ramp: FakeRamp
    folder: Path
    environ: dict[str, str] = field(repr=False)

    def write(self, name: str, code: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(CALL + textwrap.dedent(code))
        return path

    def run(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            run_command(*arguments),
            cwd=self.folder,
            env=self.environ | environ,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def reported(self, count: int) -> list[ReceivedSpan]:
        """The calls of programs that have ended; what one could not send in its last two seconds, the next sends."""
        if len(self.ramp.generations) < count:
            self.run("-m", "ramp_tracing.cli", "spool", "send")
        return self.ramp.wait_for(count, SECONDS)


def run_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ramp_tracing.cli", "run", *arguments]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with FakeRamp() as ramp, LoopbackServer(answer_models) as models:
        environ = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT / "src"),
            "MODELS": models.url + "/v1",
            "RAMP_API_KEY": "test",
            "RAMP_BASE_URL": ramp.url,
            "RAMP_TRACING_STATE_DIR": str(tmp_path / "state"),
        }
        yield Bench(ramp=ramp, folder=tmp_path, environ=environ)


@pytest.mark.parametrize(
    "command",
    [
        ["python", "app.py", "--flag"],
        ["app.py", "--flag"],
        ["-m", "package.module", "--flag"],
    ],
)
def test_a_program_is_instrumented_as_it_is(bench: Bench, command: list[str]) -> None:
    """Each way to start a program: its call is reported, with what the options say; its arguments stay its own."""
    code = "import sys; assert sys.argv[1:] == ['--flag']; call(); sys.exit(7)"
    bench.write("app.py", code)
    bench.write("package/module.py", code)
    done = bench.run("--service-name", "shop", "--trace", "team=search", "--", *command)
    assert (7, "", "") == (done.returncode, done.stdout, done.stderr)
    [call] = bench.reported(1)
    assert ("search", "shop") == (call.attributes["trace.metadata.team"], call.resource["service.name"])


def test_children_are_instrumented(bench: Bench) -> None:
    """A child that is started anew, one that is forked and one of multiprocessing report their calls, once each."""
    bench.write("child.py", "call()")
    bench.write(
        "app.py",
        """
        import multiprocessing, subprocess, sys
        if __name__ == "__main__":
            call()
            subprocess.run([sys.executable, "child.py"], check=True)
            for method in ("fork", "spawn"):
                process = multiprocessing.get_context(method).Process(target=call)
                process.start()
                process.join()
                assert process.exitcode == 0
        """,
    )
    done = bench.run("app.py")
    assert (0, "") == (done.returncode, done.stderr)
    assert 4 == len(bench.reported(4))


def test_goes_on_to_the_hidden_sitecustomize(bench: Bench) -> None:
    """A sitecustomize that was there before is still imported, and is the one that the program gets to see."""
    other = bench.folder / "other"
    other.mkdir()
    (other / "sitecustomize.py").write_text("import sys; sys.hooked = True; MINE = 'theirs'")
    bench.write("app.py", "import sys, sitecustomize; print(sitecustomize.MINE, sys.hooked); call()")
    done = bench.run("app.py", PYTHONPATH=os.pathsep.join([str(other), str(ROOT / "src")]))
    assert ("theirs True\n", "") == (done.stdout, done.stderr)
    assert 1 == len(bench.reported(1))


@pytest.mark.parametrize("wrong", ["an older Python", "a package of ours that cannot be imported"])
def test_goes_on_to_the_hidden_sitecustomize_whatever_is_wrong(bench: Bench, wrong: str) -> None:
    """What a program needs at its start it has, also in a Python in which nothing of ours can run."""
    for name, text in (("sitecustomize", "print('theirs')"), ("ramp_tracing", "raise TypeError('not subscriptable')")):
        (bench.folder / name).mkdir()
        (bench.folder / name / f"{name}.py").write_text(text)
    older = "import sys; sys.hexversion = 0x03080000; " if wrong == "an older Python" else ""
    paths = [bench.folder / "ramp_tracing", bench.folder / "sitecustomize", ROOT / "src"]
    program = f"{older}import runpy; runpy.run_path({SITE + '/sitecustomize.py'!r}); print('ran')"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={"PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.stdout.startswith("theirs\n")
    if older:
        assert ("theirs\nran\n", 1) == (done.stdout, done.stderr.count("needs Python 3.11"))


def test_takes_the_place_of_the_command(bench: Bench) -> None:
    """Signals go to the program itself."""
    bench.write("app.py", "import time; call(); print('ready', flush=True); time.sleep(600)")
    with subprocess.Popen(
        run_command("app.py"), cwd=bench.folder, env=bench.environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert -signal.SIGTERM == process.wait(SECONDS)


def test_what_is_wrong_is_said_before(bench: Bench) -> None:
    """With a wrong configuration the program is not even started; without a command the command says so."""
    bench.write("app.py", "print('started')")
    for arguments, environ, said in (
        (["app.py"], {"RAMP_API_KEY": ""}, "RAMP_API_KEY"),
        (["--trace", "nothing", "app.py"], {}, "key=value"),
        (["app.py"], {"RAMP_TRACING_RUN_TRACE": "[1]"}, "RAMP_TRACING_RUN_TRACE"),
        ([], {}, "python app.py"),
    ):
        done = bench.run(*arguments, **environ)
        assert (2, "") == (done.returncode, done.stdout)
        assert said in done.stderr
    assert 127 == bench.run("no-such-command").returncode


def test_a_program_outlives_a_configuration_that_went_bad(bench: Bench) -> None:
    """A child whose environment lacks the key goes on, with one log line."""
    bench.write("child.py", "call(); print('done')")
    bench.write(
        "app.py",
        """
        import os, subprocess, sys
        del os.environ["RAMP_API_KEY"]
        subprocess.run([sys.executable, "child.py"], check=True)
        """,
    )
    done = bench.run("app.py")
    assert (0, "done\n") == (done.returncode, done.stdout)
    assert 1 == done.stderr.count("model calls are not reported")
    assert [] == bench.ramp.spans


def test_variables_do_the_same(bench: Bench) -> None:
    """What ``--print`` shows instruments every Python in that environment."""
    shown = bench.run("--print", "--privacy", "--trace", "team=a b").stdout
    variables = dict(re.findall(r"^export (\w+)=(.*)$", shown, flags=re.MULTILINE))
    assert {"RAMP_PRIVACY_MODE", "RAMP_TRACING_RUN_TRACE", "PYTHONPATH", "RAMP_TRACING_RUN"} == variables.keys()
    bench.write("app.py", "call()")
    script = f"{shown}\npython app.py"
    subprocess.run(["sh", "-c", script], cwd=bench.folder, env=bench.environ, check=True, timeout=SECONDS)
    [call] = bench.reported(1)
    assert ("a b", False) == (call.attributes["trace.metadata.team"], "gen_ai.prompt" in call.attributes)


def test_another_python_goes_on_without_us(bench: Bench) -> None:
    """A Python that does not have the package runs its program, and says once that nothing is reported."""
    if sys.prefix == sys.base_prefix:
        pytest.skip("needs a virtual environment, outside of which the package is not installed")
    done = subprocess.run(
        [str(Path(sys.base_prefix) / "bin" / "python3"), "-c", "print('ran')"],
        cwd=bench.folder,
        env=bench.environ | {"PYTHONPATH": SITE},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (0, "ran\n", 1) == (done.returncode, done.stdout, done.stderr.count("model calls are not reported"))


SERVERS: Final = {
    "gunicorn": (["gunicorn", "web:app", "--bind", "127.0.0.1:0", "--workers", "2"], "Listening at"),
    "uvicorn": (["uvicorn", "web:asgi", "--host", "127.0.0.1", "--port", "0"], "running on"),
}
"""Command, and the words of its line that says where it listens."""


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_and_its_workers(bench: Bench, name: str) -> None:
    """A call that is made while a request is answered is reported once, from a forked worker too."""
    pytest.importorskip(name, reason=f"needs {name}")
    bench.write(
        "web.py",
        """
        def app(environ, start_response):
            call()
            start_response("200 OK", [])
            return [b"called"]

        async def asgi(scope, receive, send):
            if scope["type"] == "http":
                call()
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"called"})
        """,
    )
    arguments, listening = SERVERS[name]
    with subprocess.Popen(
        run_command("--", *arguments), cwd=bench.folder, env=bench.environ, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stderr is not None
            said = next(line for line in server.stderr if listening in line)
            found = re.search(r"http://[\d.:]+", said)
            assert found
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(found[0], timeout=SECONDS) as answer:
                assert b"called" == answer.read()
            assert 1 == len(bench.ramp.wait_for(1, SECONDS))
        finally:
            server.terminate()
            server.wait(SECONDS)


def test_celery_and_its_workers(bench: Bench) -> None:
    """A call that a task makes, in a process that celery has forked, is reported once."""
    pytest.importorskip("celery", reason="needs celery")
    bench.write(
        "tasks.py",
        """
        from celery import Celery
        from celery.signals import worker_ready

        celery = Celery("tasks", broker="memory://", backend="cache+memory://")

        @celery.task
        def ask():
            call()

        @worker_ready.connect
        def begin(**_):
            ask.delay()
        """,
    )
    arguments = ["celery", "--app", "tasks", "worker", "--concurrency", "1", "--without-gossip", "--without-mingle"]
    with subprocess.Popen(
        run_command("--", *arguments), cwd=bench.folder, env=bench.environ, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as worker:  # fmt: skip
        try:
            assert 1 == len(bench.ramp.wait_for(1, SECONDS))
        finally:
            worker.terminate()
            worker.wait(SECONDS)
    assert 1 == len(bench.ramp.generations)


@pytest.mark.parametrize("outside", ["ramp-tracing", "opentelemetry-instrument"])
def test_together_with_opentelemetrys_launcher(bench: Bench, outside: str) -> None:
    """Both launchers, in either order: OpenTelemetry has set itself up, and the call is reported once."""
    pytest.importorskip("opentelemetry.instrumentation.auto_instrumentation", reason="needs opentelemetry-distro")
    bench.write(
        "app.py",
        """
        import sys
        assert "opentelemetry.instrumentation.auto_instrumentation" in sys.modules
        call()
        """,
    )
    theirs = [str(Path(sys.executable).parent / "opentelemetry-instrument")]
    exporters = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
    environ = bench.environ | exporters | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(entry_points(bench))])}
    orders = {
        "ramp-tracing": run_command("--", *theirs, sys.executable, "app.py"),
        "opentelemetry-instrument": [*theirs, *run_command("--", sys.executable, "app.py")],
    }
    done = subprocess.run(
        orders[outside], cwd=bench.folder, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert 0 == done.returncode, done.stderr
    assert 1 == len(bench.reported(1))
    assert 1 == len(bench.ramp.generations)


def entry_points(bench: Bench) -> Path:
    """A folder with our entry points as an installation has them: tests may run from the sources."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    metadata = bench.folder / "installed" / "ramp_tracing_of_the_test-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: ramp-tracing-of-the-test\nVersion: 1\n")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {target}" for name, target in points.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return metadata.parent
