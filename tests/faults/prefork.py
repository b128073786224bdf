"""gunicorn with ``--preload``: workers are forked, retire after some requests, and one is killed."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Final

from .conducts import WELL
from .ledger import marker
from .receiver import Phase
from .run import restart
from .stage import ROOT, Stage, stage
from .table import killed_with
from .verdict import Outcome, outcome_of

REQUESTS: Final = 300
WORKER_HEADER: Final = "X-Worker"
"""Says which process answered; see `wsgi`, which cannot be imported without instrumenting this process."""

KILLED_AT: Final = 120
"""After so many requests a worker is killed."""

OPTIONS: Final = ("--preload", "--workers", "2", "--max-requests", "40", "--log-level", "warning")
END_SECONDS: Final = 40.0


def prefork() -> Outcome:
    """Serve requests, killing one worker on the way; end the server as its supervisor does; restart once."""
    with stage() as scene:
        with _server(scene) as (server, port):
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda number: _ask(port, number), range(REQUESTS)))
            server.terminate()
            status = server.wait(END_SECONDS)
        scene.receiver.follow([Phase(conduct=WELL)])
        restart(scene, {}, seconds=12)
        reasons = [f"gunicorn ended with {status}"] if status else []
        return outcome_of(scene, killed_with(1), exit_seconds=None, reasons=reasons)


@contextmanager
def _server(scene: Stage) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    with socket.create_server(("127.0.0.1", 0)) as listening, scene.said.open("ab") as said:
        bind = ("--bind", f"fd://{listening.fileno()}")
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *OPTIONS, *bind, "tests.faults.wsgi:application"],
            cwd=ROOT,
            env=scene.environment,
            pass_fds=[listening.fileno()],
            stderr=said,
        )
        try:
            yield server, listening.getsockname()[1]
        finally:
            server.kill()
            server.wait()


def _ask(port: int, number: int) -> None:
    """Make one request; that of a worker that is killed meanwhile has no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=END_SECONDS)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", f"/?{marker('web', number)}")
        worker = connection.getresponse().getheader(WORKER_HEADER, "")
        if number == KILLED_AT:
            os.kill(int(worker), signal.SIGKILL)
    connection.close()
