"""Phoenix in a process of its own, and the application that it hears of; both without a network but loopback."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ramp_tracing.cli._demo._models import ModelServers

SOURCE: Final = Path(__file__).parents[2] / "src"

NOWHERE: Final = "http://127.0.0.1:9"
"""Whoever asks a proxy for the outside gets no further than this."""

START_SECONDS: Final = 300.0
"""Its first start imports and compiles for a minute on a busy machine."""

END_SECONDS: Final = 30.0

PATIENCE_SECONDS: Final = 60.0
"""Phoenix answers before it stores."""

RUN_SECONDS: Final = 200.0

NO_ENVIRONMENT: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, kw_only=True)
class Phoenix:
    """A running Phoenix, asked by its own interfaces."""

    url: str

    @property
    def traces_url(self) -> str:
        return f"{self.url}/v1/traces"

    def spans(self, project: str, count: int) -> list[dict[str, Any]]:
        """All spans of a project, once there are *count*."""
        until = time.monotonic() + PATIENCE_SECONDS
        while len(found := self._spans(project)) < count and time.monotonic() < until:
            time.sleep(0.25)
        return found

    def sessions(self, project: str) -> dict[str, Any]:
        """The sessions of a project, by their id."""
        listed = fetched(f"{self.url}/v1/projects/{project}/sessions?limit=100")["data"]
        return {each["session_id"]: each for each in listed}

    def costs(self, project: str) -> dict[str, float | None]:
        """What Phoenix itself thinks that each span has cost, by the name of the span."""
        query = (
            "{ projects { edges { node { name spans(first: 100) { edges { node {"
            " name costSummary { total { cost } } } } } } } } }"
        )
        answer = fetched(f"{self.url}/graphql", {"query": query})
        projects = {each["node"]["name"]: each["node"] for each in answer["data"]["projects"]["edges"]}
        nodes = [each["node"] for each in projects[project]["spans"]["edges"]]
        return {each["name"]: each["costSummary"] and each["costSummary"]["total"]["cost"] for each in nodes}

    def _spans(self, project: str) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = fetched(f"{self.url}/v1/projects/{project}/spans?limit=500")["data"]
        except urllib.error.HTTPError as error:
            if error.code == 404:  # nothing has arrived that would make the project
                return []
            raise
        return found


@contextmanager
def running_phoenix(folder: Path) -> Iterator[Phoenix]:
    """Phoenix with a data directory of its own, which has nothing to tell anybody; it ends with the block."""
    port, grpc_port = free_port(), free_port()
    environment = {
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(grpc_port),
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
    }
    said = folder / "said.txt"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "phoenix.server.main", "serve"],
            env=offline(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_alive(f"{url}/healthz", process, said)
        yield Phoenix(url=url)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        process.kill()
        process.wait()


def run_application(
    servers: ModelServers,
    state: Path,
    options: Mapping[str, Any],
    *,
    calls: str = "openai openrouter langchain",
    environment: Mapping[str, str] = NO_ENVIRONMENT,
) -> dict[str, Any]:
    """
    Run application.py, instrumented with *options*.

    Returns:
        What it says of itself.
    """
    whole = {
        "service_name": "expenses",
        "providers": dict(servers.providers),
        "spans": "all",
        "stream_usage": "always",
        "state_dir": str(state),
        **options,
    }
    variables = {
        "PYTHONPATH": str(SOURCE),
        "BACKEND_CALLS": calls,
        "BACKEND_OPENAI": servers.base_urls["openai"],
        "BACKEND_OPENROUTER": servers.base_urls["openrouter"],
        "BACKEND_OPTIONS": json.dumps(whole),
        **environment,
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("application.py"))],
        env=offline(variables),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def offline(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that knows nothing of ours, and of no network."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RAMP_", "OPENAI_", "OTEL_", "PHOENIX_")) and not name.lower().endswith("_proxy")
    }
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE)
    return {**kept, **proxies, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **more}


def wait_until_alive(url: str, process: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, said.read_text(errors="replace")
        assert time.monotonic() < until, said.read_text(errors="replace")
        with suppress(OSError):
            opener(url, None).close()
            return
        time.sleep(0.5)


def fetched(url: str, asked: object = None) -> Any:
    """A JSON answer."""
    with opener(url, None if asked is None else json.dumps(asked).encode()) as answer:
        return json.load(answer)


def opener(url: str, body: bytes | None, content_type: str = "application/json", **headers: str) -> Any:
    """An answer of a server on loopback, whatever proxies this machine has."""
    request = urllib.request.Request(url, body, {"Content-Type": content_type, **headers})
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
