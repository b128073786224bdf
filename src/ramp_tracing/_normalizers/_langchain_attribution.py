"""
Who a run of LangChain's is for: the metadata and tags of its configuration, which every run hands down.

https://docs.langchain.com/oss/python/langchain/observability and the keys of Langfuse's integration, which people use
already: https://langfuse.com/integrations/frameworks/langchain.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from .._record import NO_METADATA, NOBODY, Attribution, changed
from ._reading import as_items

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "user": ("user_id", "langfuse_user_id", "user"),
    "session_id": ("session_id", "langfuse_session_id", "thread_id", "conversation_id"),
    "trace_id": ("trace_id", "ramp_trace_id", "langfuse_trace_id"),
    "trace_name": ("trace_name", "langfuse_trace_name"),
    "span_name": ("span_name",),
    "generation_name": ("generation_name",),
    "parent_span_id": ("parent_span_id",),
}
"""Where each name is, first that is a text."""

RANKED: Final = {key: (name, rank) for name, keys in NAMES.items() for rank, key in enumerate(keys)}
"""The same by key: the name, and how many keys go before this one."""

TAGS: Final = frozenset({"tags", "langfuse_tags"})

INTERNAL: Final = frozenset({"checkpoint_ns", "checkpoint_id", "checkpoint_map", "run_attempt"})
"""Keys that LangGraph puts among the application's own."""

INTERNAL_PREFIXES: Final = ("ls_", "lc_", "langgraph_", "langfuse_", "langsmith_", "__")

USUAL: Final = frozenset((
    "lc_versions", "ls_integration", "ls_max_tokens", "ls_model_name", "ls_model_type", "ls_provider", "ls_stop",
    "ls_temperature",
))  # fmt: skip
"""What LangChain tells of every model's run by itself: nearly always there is nothing else."""

INTERNAL_TAGS: Final = ("seq:step:", "graph:step:", "map:key:", "langsmith:")
"""Tags by which LangChain and LangGraph say where in a chain a run stands."""


def langchain_attribution(metadata: Mapping[str, object], tags: Sequence[object]) -> Attribution:
    """
    Who a run is for.

    Args:
        metadata: Of the run, with what it has inherited.
        tags: Likewise.
    """
    own: list[object] = [tag for tag in tags if _is_own(tag)] if tags else []
    if not own and USUAL.issuperset(metadata):
        return NOBODY
    free: dict[str, object] = {}
    texts: dict[str, str] = {}
    for key, value in metadata.items():
        if key in USUAL or value is None:
            continue
        if key in RANKED:
            text = _text(value)
            if text is not None:
                texts[key] = text
        elif key not in INTERNAL and key not in TAGS and not _is_internal(key):
            free[key] = value
    if "langfuse_tags" in metadata:
        own += filter(_is_own, as_items(metadata["langfuse_tags"]))
    if own:
        free["tags"] = list(dict.fromkeys(own))
    if not free and not texts:
        return NOBODY
    names = _names(texts) if texts else texts
    return changed(NOBODY, **names, metadata=free or NO_METADATA)  # a tenth of what it takes to construct one


def configured_attribution(configurable: Mapping[str, object]) -> Attribution:
    """
    Who a run is for, by the names under which its configuration tells a memory whose it is.

    Args:
        configurable: As an application has handed it to a chain or a graph.
    """
    if CONFIGURED.isdisjoint(configurable):
        return NOBODY
    texts = {key: text for key in CONFIGURED if (text := _text(configurable.get(key))) is not None}
    return changed(NOBODY, **_names(texts)) if texts else NOBODY


CONFIGURED: Final = frozenset({*NAMES["user"], *NAMES["session_id"]})


def _is_internal(key: object) -> bool:
    return not isinstance(key, str) or key.startswith(INTERNAL_PREFIXES)


def _is_own(tag: object) -> bool:
    return isinstance(tag, str) and not tag.startswith(INTERNAL_TAGS)


def _names(texts: Mapping[str, str]) -> dict[str, Any]:
    names: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    for key, text in texts.items():
        name, rank = RANKED[key]
        if name not in ranks or rank < ranks[name]:
            names[name], ranks[name] = text, rank
    return names


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, (int, UUID)) and not isinstance(value, bool) else None
