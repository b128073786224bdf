"""A provider of paid work that ends later, and what a process does with it; run by `test_openai_job_processes`."""

import asyncio
import inspect
import json
import os
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ramp_tracing._loopback import Answer, Request

from .endpoints import response

KINDS: Final = ("resp", "batch", "video")
ENDINGS: Final = ("completed", "failed", "cancelled")
COLOURS: Final = ("sync", "async")

LOOKS: Final = 2
"""So often a job is looked at before it ends."""

CREATED_AT: Final = 1767225600


def names() -> Iterator[str]:
    """Every kind of job, with every end that it may come to, created by every colour; a video cannot be cancelled."""
    for kind in KINDS:
        for ending in ENDINGS[: 2 if kind == "video" else 3]:
            yield from (f"{kind}_68af4030592c8193_{ending}_{colour}" for colour in COLOURS)


NAME: Final = re.compile(rb"(?:resp|batch|video)_68af4030592c8193_[a-z]+_[a-z]+")


class JobServer:
    """Answers for every job: it runs while it is looked at the first times, and then stays as its name says."""

    def __init__(self) -> None:
        self._looks: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Answer:
        found = NAME.search(request.path.encode()) or NAME.search(request.body)
        assert found is not None
        name = found[0].decode()
        with self._lock:
            self._looks[name] += request.method == "GET"
            over = self._looks[name] > LOOKS
        body = json.dumps(job(name, over=over)).encode()
        # How long `videos.poll` waits until it looks again.
        return Answer(headers={"Content-Type": "application/json", "openai-poll-after-ms": "5"}, body=body)


def job(name: str, *, over: bool) -> Mapping[str, Any]:
    """A job as the provider describes it."""
    kind, _, ending, _ = name.split("_")
    status = ending if over else "in_progress"
    common = {"id": name, "status": status, "model": "sora-2" if kind == "video" else "gpt-4o-2024-08-06"}
    failed = {"code": "server_error", "message": "No."} if status == "failed" else None
    if kind == "resp":
        fields = {"background": True, "error": failed} | ({"usage": None, "output": []} if failed else {})
        return {**response(status), **common, **fields}
    if kind == "video":
        video = {"object": "video", "created_at": CREATED_AT, "progress": 0, "seconds": "4", "size": "720x1280"}
        return {**video, **common, "error": failed}
    batch = {"object": "batch", "created_at": CREATED_AT, "endpoint": "/v1/responses", "completion_window": "24h"}
    usage = {"usage": dict(BATCH_USAGE)} if over and not failed else {}
    errors = {"errors": {"object": "list", "data": [failed]}} if failed else {}
    return {**batch, **common, "input_file_id": "file-1", **usage, **errors}


BATCH_USAGE: Final = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 500,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 1500,
}


class Program:
    """
    What a process does with all jobs.

    Args:
        clients: By colour.
    """

    def __init__(self, clients: Mapping[str, Any]) -> None:
        self._clients = clients

    async def create(self, name: str) -> None:
        kind, client = name.split("_")[0], self._client(name)
        if kind == "resp":
            await result(client.responses.create(model="gpt-4o", input=name, background=True))
        elif kind == "batch":
            batch: Any = {"endpoint": "/v1/responses", "completion_window": "24h"}
            await result(client.batches.create(input_file_id=name, **batch))
        else:
            await result(client.videos.create(model="sora-2", prompt=name))

    async def poll(self, name: str) -> None:
        """Look until it has ended, and then again."""
        kind, _, ending, _ = name.split("_")
        client = self._client(name)
        if kind == "video" and ending == "completed":
            await result(client.videos.poll(name))
        jobs = {"resp": client.responses, "batch": client.batches, "video": getattr(client, "videos", None)}[kind]
        if ending == "cancelled":
            await result(jobs.cancel(name))
        while (await result(jobs.retrieve(name))).status != ending:
            pass
        await result(jobs.retrieve(name))

    def _client(self, name: str) -> Any:
        return self._clients[name.rpartition("_")[2]]


async def result(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def main(provider: str, *actions: str) -> None:
    """Create jobs, wait for a line, look after jobs, die: as told."""
    import openai

    import ramp_tracing

    options: Any = {"api_key": "sk-test", "base_url": provider, "max_retries": 0}
    # Loading the certificates of the world takes most of what it takes to make a client.
    quick, aquick = openai.DefaultHttpxClient(verify=False), openai.DefaultAsyncHttpxClient(verify=False)
    clients = {
        "sync": openai.OpenAI(**options, http_client=quick),
        "async": openai.AsyncOpenAI(**options, http_client=aquick),
    }
    program = Program(clients)
    has_videos = hasattr(openai.OpenAI, "videos")
    for action in actions:
        if action == "wait":
            print("ready", flush=True)
            sys.stdin.readline()
        elif action == "die":
            os._exit(9)
        else:
            with ramp_tracing.trace(user="ada" if action == "create" else "poller", team=action):
                for name in names():
                    if has_videos or not name.startswith("video"):
                        await getattr(program, action)(name)


if __name__ == "__main__":
    import ramp_tracing

    ramp_tracing.instrument(exit_timeout_seconds=20)
    asyncio.run(main(*sys.argv[1:]))
