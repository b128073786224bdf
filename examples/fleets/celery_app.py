"""
Celery: who a task is for travels with it, because a queue carries no context.

    pip install "celery[redis]" "ramp-tracing[openai]"
    CELERY_BROKER_URL=redis://localhost celery -A celery_app worker --workdir examples/fleets --max-tasks-per-child 100

Needs OPENAI_API_KEY and RAMP_API_KEY. Children of the worker that end (`--max-tasks-per-child`) send what they have
before. What one leaves that was killed, the others send within ten seconds, or the worker when it ends.
"""

import os
from typing import Any

import openai
from celery import Celery
from celery.signals import task_postrun, task_prerun

import ramp_tracing

HEADER = "ramp_attribution"

ramp_tracing.instrument(trace={"team": "support"})

app = Celery("celery_app", broker=os.environ.get("CELERY_BROKER_URL", "memory://"))
blocks: dict[str, Any] = {}


def submit(question: str, **attribution: str) -> Any:
    """Queue a task for somebody."""
    return answer.apply_async(args=[question], headers={HEADER: attribution})


@task_prerun.connect
def enter(task_id: str, task: Any, **_: Any) -> None:
    """Open the block before the task."""
    attribution = (task.request.headers or {}).get(HEADER) or getattr(task.request, HEADER, None) or {}
    blocks[task_id] = ramp_tracing.trace(trace_name=task.name, **attribution)
    blocks[task_id].__enter__()


@task_postrun.connect
def leave(task_id: str, **_: Any) -> None:
    """Close it, however the task ended."""
    if (block := blocks.pop(task_id, None)) is not None:
        block.__exit__(None, None, None)


@app.task
def answer(question: str) -> str:
    """One call of a model, which says nothing about who it is for."""
    return openai.OpenAI().responses.create(model="gpt-4.1", input=question).output_text
