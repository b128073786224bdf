"""
What streams of LiteLLM's say on their way.

LiteLLM keeps the chunks of a stream until its end, and says nothing of a stream that is left before it. So the list is
noted when the stream is made.

Groq's streams have it in ``x_groq`` of the last chunk alone (https://console.groq.com/docs/api-reference), and LiteLLM,
which speaks to Groq without the openai client, puts a count of its own in its place. So chunks are looked at as they
come.
"""

from importlib import import_module
from itertools import islice
from types import FrameType
from typing import Any, Final

from .._guard import guarded
from .._layers import frames_above, note_stream, note_usage, slot_of
from .._normalizers import CHAT
from ._patches import Patches

MODULE: Final = "litellm.llms.openai.chat.gpt_transformation"
PARSER: Final = "OpenAIChatCompletionStreamingHandler"
"""Parses the chunks of everybody who streams as OpenAI does. Not public; seen in 1.106 to 1.110."""

STREAMS: Final = "litellm.litellm_core_utils.streaming_handler"
STREAM: Final = "CustomStreamWrapper"
"""Every stream of chat completions and text completions."""

MAX_FRAMES: Final = 12
"""LiteLLM's stream, which knows the call, is three frames above."""


def watch_chunks(patches: Patches) -> None:
    """Look at each stream that LiteLLM makes, and at each chunk that it parses."""
    for module, name, method, wrapper in (
        (MODULE, PARSER, "chunk_parser", look),
        (STREAMS, STREAM, "__init__", look_at_stream),
    ):
        owner = getattr(import_module(module), name, None)
        if owner is not None:
            patches.wrap(owner, method, wrapper)


def look_at_stream(wrapped: Any, stream: Any, args: Any, kwargs: Any) -> Any:
    """Around ``__init__``."""
    result = wrapped(*args, **kwargs)
    with guarded("noting a stream"):
        key = getattr(getattr(stream, "logging_obj", None), "litellm_call_id", None)
        chunks = getattr(stream, "chunks", None)
        if isinstance(key, str) and isinstance(chunks, list):
            is_mock = getattr(stream, "is_mock", False) is True
            note_stream(slot_of("litellm", key), None if is_mock else chunks)  # pyright: ignore[reportUnknownArgumentType]
    return result


def look(wrapped: Any, parser: Any, args: Any, kwargs: Any) -> Any:
    """Around ``chunk_parser``: nearly always one look into a dictionary."""
    chunk = args[0] if args else kwargs.get("chunk")
    if isinstance(chunk, dict) and "x_groq" in chunk:
        with guarded("reading a chunk"):
            _note(chunk)  # pyright: ignore[reportUnknownArgumentType]
    return wrapped(*args, **kwargs)


def _note(chunk: Any) -> None:
    usage = CHAT.read(chunk).usage
    key = (
        next((key for frame in islice(frames_above(), MAX_FRAMES) if (key := _call_of(frame))), None)
        if usage.known
        else None
    )
    if key is not None:
        note_usage("litellm", key, usage)


def _call_of(frame: FrameType) -> str | None:
    """The id of the call whose stream this frame is a method of."""
    if not str(frame.f_globals.get("__name__")).startswith("litellm."):
        return None
    key = getattr(getattr(frame.f_locals.get("self"), "logging_obj", None), "litellm_call_id", None)
    return key if isinstance(key, str) else None
