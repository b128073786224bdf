"""
Who a LiteLLM call was for: https://docs.litellm.ai/docs/proxy/cost_tracking and the keys of its Langfuse integration,
https://docs.litellm.ai/docs/observability/langfuse_integration, which people use already.
"""

from collections.abc import Mapping
from functools import cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from .._record import NOBODY, Attribution, Drafts
from ._reading import as_fields, as_items, as_name, dig

NAMES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "user": (
        ("metadata", "trace_user_id"),
        ("metadata", "user_id"),
        ("payload", "end_user"),
        ("call", "user"),
        ("optional", "user"),
        ("body", "user"),
    ),
    "session_id": (
        ("params", "litellm_session_id"),
        ("metadata", "session_id"),
        ("extra", "session_id"),
        ("body", "session_id"),
    ),
    "trace_id": (("metadata", "trace_id"), ("metadata", "existing_trace_id"), ("trace", "trace_id")),
    "trace_name": (("metadata", "trace_name"), ("trace", "trace_name")),
    "span_name": (("metadata", "span_name"), ("trace", "span_name")),
    "generation_name": (("metadata", "generation_name"), ("trace", "generation_name")),
    "parent_span_id": (
        ("metadata", "parent_span_id"),
        ("metadata", "parent_observation_id"),
        ("trace", "parent_span_id"),
    ),
}
"""Where each name is, first that is a text; see `sources_of` for the first words."""

TEAM: Final[Mapping[str, str]] = {
    "litellm.team": "user_api_key_team_alias",
    "litellm.team_id": "user_api_key_team_id",
    "litellm.organization": "user_api_key_org_alias",
    "litellm.organization_id": "user_api_key_org_id",
    "litellm.project": "user_api_key_project_alias",
    "litellm.key_alias": "user_api_key_alias",
    "litellm.key_hash": "user_api_key_hash",
    "litellm.key_user": "user_api_key_user_id",
    "litellm.model_group": "model_group",
}
"""What the proxy knows of the key that was used, under which key of our metadata."""

OF_TEAM: Final = frozenset(TEAM.values())

MODEL_GROUP: Final = "model_group"
"""The one of these that the logging payload itself has a place for, beside its metadata."""

KNOWN_OF_KEY: Final = itemgetter(*sorted(OF_TEAM - {MODEL_GROUP}))

OURS: Final = frozenset(
    {
        "existing_trace_id", "generation_name", "parent_observation_id", "parent_span_id", "session_id", "span_name",
        "tags", "trace_id", "trace_metadata", "trace_name", "trace_user_id", "user_id",
    }
)  # fmt: skip
"""Keys of the application's metadata that have a place of their own."""

INTERNAL: Final = frozenset(
    {
        "adaptive_router_decision", "api_base", "applied_guardrails", "attempted_fallbacks", "attempted_retries",
        "caching_groups", "client_disconnected", "deployment", "deployment_model_name", "endpoint", "error_information",
        "eval_information", "file_checksum", "global_max_parallel_requests", "guardrail_information", "guardrails",
        "headers", "is_silent_experiment", "llm_api_timing_windows", "max_fallbacks", "max_retries", "model_group",
        "model_group_alias", "model_group_size", "model_info", "original_model_group", "policy_sources",
        "previous_models", "prompt_management_metadata", "quality_router_decision", "queue_time_seconds", "raw_request",
        "request_retry_count", "requester_custom_headers", "requester_ip_address", "requester_metadata",
        "routing_plugin_signals", "spend_logs_metadata", "tag_routing", "usage_object", "used_client_oauth_token",
        "user_agent", "vector_store_request_metadata",
    }
)  # fmt: skip
"""Keys that LiteLLM, its Router and its proxy put among the application's own. What a guardrail found is content."""

INTERNAL_PREFIXES: Final = ("user_api_key", "litellm_", "_", "hidden_", "sensitive_data_routing_", "standard_logging_")

SPEND: Final = "spend_logs_metadata"
"""What the application, or a header of the proxy's (``x-litellm-spend-logs-metadata``), says of a cost."""

OF_LITELLM: Final = "hidden_params"
"""What LiteLLM puts there itself when a call has gone well."""

PROXY_TAG: Final = "User-Agent:"
"""The proxy adds such tags of its own."""


class Sources(NamedTuple):
    """Where to look."""

    call: Mapping[str, object]
    payload: Mapping[str, object]
    params: Mapping[str, object]
    optional: Mapping[str, object]
    extra: Mapping[str, object]
    body: Mapping[str, object]
    metadata: Mapping[str, object]
    """What the application said; LiteLLM's own keys may be among them."""
    trace: Mapping[str, object]


PLACES: Final = tuple(
    (name, Sources._fields.index(where), key) for name, places in NAMES.items() for where, key in places
)
"""The rows of `NAMES`, in their order."""

ATTRIBUTIONS: Final = Drafts(Attribution)


@cache
def _places(*said: bool) -> tuple[tuple[str, int, str], ...]:
    """Those of `PLACES` in which something may be, by whether each of the `Sources` says anything: most do not."""
    return tuple(place for place in PLACES if said[place[1]])


def litellm_attribution(call: Mapping[str, object]) -> Attribution:
    """
    Who a call was for.

    Args:
        call: The ``kwargs`` of a callback.

    Returns:
        `NOBODY` itself where nothing is said.
    """
    if _says_nothing(call):
        return NOBODY
    return attribution_in(sources_of(call))


def _says_nothing(call: Any) -> bool:
    """
    Whether nobody has said anything, anywhere: so it is in most calls outside of a proxy.

    All places are asked at once: to look for each thing takes seven times as long.
    """
    said = call.get
    params, payload, optional = said("litellm_params"), said("standard_logging_object"), said("optional_params")
    if not (params.__class__ is payload.__class__ is optional.__class__ is dict):
        return False
    given, known, asked = params.get, payload.get, optional.get
    metadata, key = given("metadata"), known("metadata")
    return (
        (not metadata or (metadata.__class__ is dict and len(metadata) == 1 and OF_LITELLM in metadata))
        and (not key or (key.__class__ is dict and _is_nobodys(key)))
        and not (given("litellm_metadata") or asked("extra_body") or known("model_group") or known("request_tags"))
        and given("proxy_server_request") is None
        and given("litellm_session_id") is None
        and known("end_user") is None
        and asked("user") is None
        and said("user") is None
    )


def _is_nobodys(key: Any) -> bool:
    """Whether nothing is known of the key that was used; LiteLLM has a place for each thing, with nothing in it."""
    try:
        return not (any(KNOWN_OF_KEY(key)) or key.get(MODEL_GROUP))
    except KeyError:  # another version of LiteLLM's, which says less
        return not any(map(key.get, OF_TEAM))


def attribution_in(sources: Sources) -> Attribution:
    """The same, from wherever something may be said."""
    said, is_anybody = ATTRIBUTIONS.begin(), False
    for name, where, key in _places(*map(bool, sources)):
        value = sources[where].get(key)
        if value is not None and getattr(said, name) is None:
            setattr(said, name, _text(value))
            is_anybody = True
    metadata = _metadata(sources)
    if not (metadata or is_anybody):
        return NOBODY
    said.metadata = metadata
    return ATTRIBUTIONS.end(said)


def trace_id_in(call: Mapping[str, object]) -> str | None:
    """LiteLLM's own id for what belongs together: retries, fallbacks, a header of the proxy. Weaker than a trace."""
    params = as_fields(call.get("litellm_params"))
    given = as_name(params.get("litellm_trace_id"))
    return None if given is None or given == dig(params, "metadata", "session_id") else given


def sources_of(call: Mapping[str, object]) -> Sources:
    """The parts of a callback's ``kwargs`` that can say something."""
    params = as_fields(call.get("litellm_params"))
    payload = as_fields(call.get("standard_logging_object"))
    optional = as_fields(call.get("optional_params"))
    extra = as_fields(optional.get("extra_body"))
    metadata, more = as_fields(params.get("metadata")), as_fields(params.get("litellm_metadata"))
    if more:
        metadata = {**more, **metadata}
    body: Mapping[str, object] = {}
    request = params.get("proxy_server_request")
    if request is not None:
        body = as_fields(dig(request, "body"))
        from_proxy = as_fields(dig(payload, "metadata", "requester_metadata"))
        metadata = from_proxy or as_fields(metadata.get("requester_metadata"))
    elif len(metadata) == 1 and OF_LITELLM in metadata:  # in nearly every call of which the application says nothing
        metadata = {}
    trace = as_fields(extra.get("trace"))
    if "trace" in body:
        trace = {**as_fields(body["trace"]), **trace}
    return Sources(call, payload, params, optional, extra, body, metadata, trace)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _metadata(sources: Sources) -> dict[str, object]:
    """The application's free keys; its own word over what the proxy knows of its key."""
    found: dict[str, object] = {}
    _add_team(found, sources)
    metadata = sources.metadata
    for place in (dig(sources.payload, "metadata", SPEND), metadata.get(SPEND)):
        for key, value in as_fields(place).items():
            if value is not None:
                found[key] = value
    for key, value in sources.trace.items():
        if value is not None and key not in OURS:
            found[key] = value
    if metadata:
        for key, value in as_fields(metadata.get("trace_metadata")).items():
            if value is not None:
                found[key] = value
        for key, value in metadata.items():
            if value is not None and key not in OURS and key not in INTERNAL and not key.startswith(INTERNAL_PREFIXES):
                found[key] = value
    tags = _tags(sources)
    if tags is not None:
        found["tags"] = tags
    return found


def _add_team(found: dict[str, object], sources: Sources) -> None:
    """What is known of the key that was used; outside of a proxy that is nothing."""
    said: list[Mapping[str, object]] = []
    for place in (as_fields(sources.payload.get("metadata")), as_fields(sources.params.get("metadata"))):
        if not OF_TEAM.isdisjoint(place) and any(map(place.get, OF_TEAM)):
            said.append(place)
    if sources.payload.get(MODEL_GROUP):
        said.append({MODEL_GROUP: sources.payload[MODEL_GROUP]})
    for key, name in TEAM.items() if said else ():
        team = next(filter(None, (place.get(name) for place in said)), None)
        if team is not None:
            found[key] = team


def _tags(sources: Sources) -> object:
    tags = as_items(sources.metadata.get("tags")) or as_items(sources.payload.get("request_tags"))
    if not tags:
        return None
    own = [tag for tag in tags if isinstance(tag, str) and not tag.startswith(PROXY_TAG)]
    return own or None
