"""docs/usage.md: each key that is said to be read is read, and each that is said to be left out changes nothing."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from ramp_tracing._normalizers import EMBEDDINGS, parse
from ramp_tracing._record import Outcome
from tests.cassettes.shelf import INDEX, replay_server, rows

PAGE: Final = Path(__file__).parents[2] / "docs" / "usage.md"


class Key(NamedTuple):
    """A row of the page."""

    place: str
    path: str
    fields: frozenset[str]
    reason: str


def keys_of_page() -> list[Key]:
    """The rows of its long table."""
    _, _, table = PAGE.read_text().partition("| where | key |")
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return [
        Key(place.strip("`"), path.strip("`"), frozenset(re.findall(r"`(\w+)`", fields)), reason)
        for place, path, fields, reason in lines
    ]


KEYS: Final = keys_of_page()

PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "usage": ("usage",),
    "message.usage": ("message", "usage"),
    "x_groq.usage": ("x_groq", "usage"),
    "usageMetadata": ("usageMetadata",),
    "meta": ("meta",),
    "delta.usage": ("delta", "usage"),
    "amazon-bedrock-invocationMetrics": ("amazon-bedrock-invocationMetrics",),
    "ollama": (),
    "titan": (),
}
"""What the page calls a place → where that is."""

BESIDE: Final[Mapping[str, Mapping[str, Any]]] = {
    "cacheDetails[].inputTokens": {"inputTokens": 1, "cacheDetails": [{"ttl": "5m"}]},
    "cacheDetails[].ttl": {"inputTokens": 1, "cacheDetails": [{"inputTokens": 7}]},
    "citation_tokens": {"completion_tokens": 9, "reasoning_tokens": 5},
    "cached_tokens": {"tokens": {"input_tokens": 9}},
    "cost.currency": {"cost": {"total_cost": 7}},
    "cost.input_tokens_cost": {"cost": {"total_cost": 9, "output_tokens_cost": 2}},
    "cost.output_tokens_cost": {"cost": {"total_cost": 9, "input_tokens_cost": 2}},
    "cost_details.upstream_inference_completions_cost": {
        "cost": 9, "cost_details": {"upstream_inference_prompt_cost": 2}
    },
    "cost_details.upstream_inference_cost": {"cost": 1, "is_byok": True},
    "cost_details.upstream_inference_input_cost": {"cost": 9, "cost_details": {"upstream_inference_output_cost": 2}},
    "cost_details.upstream_inference_output_cost": {"cost": 9, "cost_details": {"upstream_inference_input_cost": 2}},
    "cost_details.upstream_inference_prompt_cost": {
        "cost": 9, "cost_details": {"upstream_inference_completions_cost": 2}
    },
    "is_byok": {"cost": 1, "cost_details": {"upstream_inference_cost": 7}},
    "iterations[].type": {},
    "results[].tokenCount": {"inputTextTokenCount": 1},
    "seconds": {"type": "duration"},
    "type": {"seconds": 7},
    "cacheReadInputTokenCount": {"inputTokens": 50},
    "cacheReadInputTokens": {"inputTokens": 50},
    "cacheWriteInputTokenCount": {"inputTokens": 50},
    "cacheWriteInputTokens": {"inputTokens": 50},
    "tokens.image_tokens": {"tokens": {"input_tokens": 9}},
    "tokens.reasoning_tokens": {"tokens": {"input_tokens": 9}},
    "totalTokens": {"inputTokens": 50},
    "total_cached_tokens": {"total_input_tokens": 50},
    "total_thought_tokens": {"total_input_tokens": 50},
    "total_tool_use_tokens": {"total_input_tokens": 50},
}  # fmt: skip
"""What has to stand beside a key so that it says anything."""

VALUES: Final[Mapping[str, Any]] = {
    "cost.currency": "NOK",
    "fallback_credit.status.type": "redeemed",
    "inference_geo": "us",
    "is_byok": True,
    "iterations[].type": "advisor_message",
    "service_tier": "priority",
    "serviceTier": "flex",
    "speed": "fast",
    "trafficType": "PROVISIONED_THROUGHPUT",
    "type": "duration",
}
"""What a key says that is no number."""


def siblings(path: str) -> Mapping[str, Any]:
    """What stands beside *path* in an answer without it."""
    if path in BESIDE:
        return BESIDE[path]
    member, _, name = path.partition("[].")
    if name == "modality":
        return {member: [{COUNTS[member]: 7}]}
    if name and member in COUNTS:
        return {member: [{"modality": "AUDIO"}]}
    return {"iterations": [{"type": "compaction"}]} if member == "iterations" else {}


COUNTS: Final = {
    "promptTokensDetails": "tokenCount",
    "promptTokenDetails": "tokenCount",
    "candidatesTokensDetails": "tokenCount",
    "cacheTokensDetails": "tokenCount",
    "toolUsePromptTokensDetails": "tokenCount",
    "input_tokens_by_modality": "tokens",
}
"""Lists by modality → how they name the count."""


def answer(key: Key, *, said: bool) -> Mapping[str, Any]:
    """An answer with or without *key*."""
    usage: dict[str, Any] = json.loads(json.dumps(siblings(key.path)))
    if key.place == "usageMetadata" or key.path.startswith("input_tokens_by"):
        usage |= {"promptTokenCount": 50} if key.place == "usageMetadata" else {"total_input_tokens": 50}
        if key.path in ("promptTokenCount",):
            del usage["promptTokenCount"]
    if said:
        value = VALUES.get(
            key.path, "IMAGE" if key.path.endswith("modality") else "1h" if key.path.endswith(".ttl") else 7
        )
        put(usage, key.path.split("."), value)
    whole: Any = usage
    for name in reversed(PLACES[key.place]):
        whole = {name: whole}
    return {"id": "a-1", **whole}


def put(members: dict[str, Any], path: list[str], value: Any) -> None:
    """Set what *path* leads to."""
    name, *rest = path
    bare = name.removesuffix("[]")
    if not rest:
        members[bare] = [value] if name.endswith("[]") else value
    elif name.endswith("[]"):
        put(members.setdefault(bare, [{}])[0], rest, value)
    else:
        inner = members.get(bare)
        members[bare] = inner if isinstance(inner, dict) else {}
        put(members[bare], rest, value)


def said_by(outcome: Outcome) -> dict[str, object]:
    """What the page calls fields, by name."""
    usage = {name: getattr(outcome.usage, name) for name in outcome.usage.__slots__}
    tier, geo = outcome.service_tier, outcome.inference_geo
    return {**usage, "cost": outcome.cost, "service_tier": tier, "inference_geo": geo}


@pytest.mark.parametrize("key", KEYS, ids=[f"{key.place} {key.path}" for key in KEYS])
def test_key(key: Key) -> None:
    """With the key an answer says more in exactly the fields that the page names; without a reason there are some."""
    without, with_it = (said_by(EMBEDDINGS.read(answer(key, said=said))) for said in (False, True))
    changed = {name for name in with_it if with_it[name] != without[name]}
    assert bool(key.reason) is not bool(key.fields)
    assert key.fields <= changed if key.fields else not changed


@pytest.mark.skipif(not INDEX.exists(), reason="no recorded calls: set RAMP_TRACING_SHARED to the folder above them")
def test_recorded_answers() -> None:
    """No recorded answer has a key in its usage that the page does not name."""
    pytest.importorskip("yaml", reason="the recorded calls are YAML")
    known = {(key.place, key.path) for key in KEYS}
    found: set[tuple[str, str]] = set()
    for file in sorted({row.file for row in rows()}):
        for interaction in replay_server().load(INDEX.parent / file):
            for event in events_of(interaction):
                found |= keys_in(event)
    assert len(found) > 60
    assert set() == found - known


def events_of(interaction: Any) -> Iterator[object]:
    """Everything in an answer that is JSON; Bedrock's binary streams are left to the page itself."""
    if not interaction.streamed:
        yield parse(interaction.body)
        return
    for line in interaction.body.splitlines():
        yield parse(line.removeprefix(b"data:").strip())


def keys_in(event: object) -> set[tuple[str, str]]:
    """The keys of the usage in an answer or event, each with its place."""
    members: Any = event if isinstance(event, dict) else {}
    inner = members.get("response") if isinstance(members.get("response"), dict) else members
    found: set[tuple[str, str]] = set()
    for place, path in PLACES.items():
        value: Any = inner
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if path and isinstance(value, dict):
            found |= {(place, leaf) for leaf in leaves(value)}
    return found


def leaves(members: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The paths of the members that are no containers."""
    for name, value in members.items():
        items = value if isinstance(value, list) else [value]
        mark = "[]" if isinstance(value, list) else ""
        for item in items:
            if isinstance(item, dict) and item:
                yield from leaves(item, f"{prefix}{name}{mark}.")
            else:
                yield f"{prefix}{name}{mark}"
