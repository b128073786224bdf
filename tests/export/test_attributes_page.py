"""``docs/attributes.md`` says what is sent: no key is missing there, none is too many, and each has its type."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from export_samples import FULL, REPOSITORY, Sent, attributes_in, export, export_one, shared_samples

from ramp_tracing._export import connection_test_body
from ramp_tracing._export._attributes import LEVEL, OPENROUTER, SEMCONV
from ramp_tracing._record import NOBODY

PAGE = (REPOSITORY / "docs" / "attributes.md").read_text()
METADATA = "trace.metadata.<key>"
TYPES = {
    "stringValue": "string",
    "intValue": "int",
    "doubleValue": "double",
    "boolValue": "bool",
    "arrayValue": "string[]",
}


def rows(heading: str) -> Iterator[tuple[list[str], list[str]]]:
    """The rows of the table below *heading*: the keys in the first cell, and the other cells."""
    [section] = re.findall(rf"^##+ {re.escape(heading)}\n(.*?)(?=^## |^### |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    for line in re.findall(r"^\| (`.*) \|$", section, re.MULTILINE):
        first, *others = line.split(" | ")
        yield re.findall(r"`([^`]+)`", first), others


def documented(heading: str) -> dict[str, str]:
    """Key → type, as the page says."""
    return {key: cells[0] for keys, cells in rows(heading) for key in keys}


def sent_types(sent: Sent) -> dict[str, str]:
    """Key → type, as a span has it; the user's own keys as one."""
    return {general(key): TYPES[kind] for key, (kind, _) in sent.attributes.items()}


def general(key: str) -> str:
    """Keys of users' metadata as the page writes them."""
    if key in OPENROUTER or key.startswith("trace.metadata.openrouter."):
        return key
    if key in ATTEMPTS:
        return key
    return re.sub(r"^(trace|span)\.metadata\..*", r"\1.metadata.<key>", key)


ATTEMPTS = {
    "span.metadata.attempt_index",
    "span.metadata.status_code",
    "span.metadata.is_byok",
    "span.metadata.endpoint_id",
    "span.metadata.model_permaslug",
    "span.metadata.provider_responses",
    "trace.metadata.provider_responses",
}
"""What Broadcast says of its own attempts; these are no users' keys."""


@pytest.mark.parametrize(
    ("dialect", "heading", "table", "metadata"),
    [
        ("openrouter", "Dialect `openrouter`", OPENROUTER, {METADATA, "span.metadata.<key>"}),
        ("semconv", "Dialect `semconv`", SEMCONV, {METADATA}),
    ],
)
def test_dialects(dialect: str, heading: str, table: dict[str, object], metadata: set[str]) -> None:
    """The page lists exactly the keys of a dialect's table, with the types that a full record is sent with."""
    page = documented(heading)
    assert table.keys() | metadata == page.keys()
    [own, *_] = export(FULL, dialect=dialect)
    types = sent_types(own)
    assert {key: kind for key, kind in page.items() if key not in metadata} == {
        key: kind for key, kind in types.items() if key not in metadata
    }


def test_levels() -> None:
    """The page lists exactly what levels carry."""
    page = documented("The levels above")
    assert LEVEL.keys() | {METADATA} == page.keys()
    for level in export(FULL)[1:]:
        assert page.keys() == sent_types(level).keys()


def test_resource() -> None:
    """The page lists exactly what the resource carries."""
    assert documented("The resource").keys() == our_resource() | {"service.version"}


def test_every_row_says_something() -> None:
    """Each row of the page has a type or a reason, and a key is listed once."""
    for heading in ("Dialect `openrouter`", "Dialect `semconv`", MISSING, OURS):
        listed = [key for keys, _ in rows(heading) for key in keys]
        assert len(listed) == len(set(listed))
        assert all(cells[-1].strip() for _, cells in rows(heading))


MISSING = "Keys that captures carry and ours do not"
OURS = "Keys that ours carry and captures do not"


def our_resource() -> set[str]:
    """Keys of the resource."""
    [resource_spans] = json.loads(connection_test_body())["resourceSpans"]
    return set(attributes_in(resource_spans["resource"]))


def our_keys() -> set[str]:
    """All keys that the default dialect can send."""
    everything = {key for sent in export(FULL) for key in sent_types(sent)}
    return everything | our_resource() | {"service.version"}


def captured_keys() -> set[str]:
    """All keys of the real captures: spans and resources."""
    keys: set[str] = set()
    for path in sorted(shared_samples().glob("real-*.json")):
        for resource_spans in json.loads(path.read_bytes())["resourceSpans"]:
            keys.update(attributes_in(resource_spans["resource"]))
            for scope_spans in resource_spans["scopeSpans"]:
                for span in scope_spans["spans"]:
                    keys.update(map(general, attributes_in(span)))
    return keys


def test_keys_that_captures_carry() -> None:
    """The page gives a reason for every key of the captures that is not sent, and for no other."""
    assert captured_keys() - our_keys() == {key for keys, _ in rows(MISSING) for key in keys}


def test_keys_that_captures_do_not_carry() -> None:
    """The page gives a reason for every key that no capture has, and for no other."""
    assert our_keys() - captured_keys() == {key for keys, _ in rows(OURS) for key in keys}


def test_types_of_captures() -> None:
    """What captures and ours both carry has the same type in both."""
    ours = {key: kind for sent in export(FULL)[:1] for key, kind in sent_types(sent).items() if not is_metadata(key)}
    for path in sorted(shared_samples().glob("real-*.json")):
        for resource_spans in json.loads(path.read_bytes())["resourceSpans"]:
            for span in resource_spans["scopeSpans"][0]["spans"]:
                for key, (kind, _) in attributes_in(span).items():
                    assert ours.get(key, TYPES[kind]) == TYPES[kind], (path.name, key)


def is_metadata(key: str) -> bool:
    """Whether a key is the user's."""
    return key.endswith(".metadata.<key>")


def test_captured_ids() -> None:
    """Ids of real captures follow from the generation id as ours do."""
    unattributed = replace(FULL, attribution=NOBODY)
    captures = [path for path in shared_samples().glob("real-*.json") if "connection" not in path.name]
    assert captures
    for path in captures:
        span = json.loads(path.read_bytes())["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
        generation_id = attributes_in(span)["gen_ai.response.id"][1]
        sent = export_one(replace(unattributed, id=generation_id)).span
        assert (span["traceId"], span["spanId"]) == (sent["traceId"], sent["spanId"]), path.name
