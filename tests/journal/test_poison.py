"""Values that an application may put into a record: nothing is raised, and its money arrives."""

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from ramp_tracing._journal import FileJournal, Stats
from ramp_tracing._record import Attribution, Cost, Failure, Generation, GenerationId, Usage
from ramp_tracing._state import state as package

from .samples import drain, generation, ids

USAGE = Usage(input_tokens=12, output_tokens=34, total_tokens=46)
COST = Cost(total=Decimal("0.000123"), source="provider")


class Hostile:
    """An object whose every method raises."""

    def _raise(self, *_: object) -> Any:
        raise RuntimeError("a method of a value was called")

    __str__ = __repr__ = __hash__ = __eq__ = __bool__ = __len__ = __iter__ = __int__ = __float__ = __bytes__ = _raise  # type: ignore[assignment]
    __reduce__ = __format__ = __getattr__ = __index__ = _raise  # type: ignore[assignment]


class HostileText(str):
    """A text whose methods raise."""

    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("a method of a value was called")

    __repr__ = __len__ = encode = isascii = __str__  # type: ignore[assignment]


class Colour(Enum):
    RED = "red"


def cycle() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


def depth() -> object:
    value: object = None
    for _ in range(10_000):
        value = [value]
    return value


POISONS: Mapping[str, object] = {
    "object": object(),
    "hostile": Hostile(),
    "hostile text": HostileText("x"),
    "lambda": lambda: None,
    "class": Hostile,
    "enum": Colour.RED,
    "cycle": cycle(),
    "depth": depth(),
    "lone surrogate": "\ud800",
    "surrogate within": ["ok", {"a": "\udfff"}],
    "nan": math.nan,
    "infinity": -math.inf,
    "nan within": {"a": [math.nan]},
    "bytes": b"\xff\0",
    "large integer": 2**64,
    "larger integer": -(10**5000),
    "large integer within": [2**70],
    "long text": "x" * 20_000_000,
    "control": "\0\x1b[31m\r\n",
    "set": {1, 2},
    "keys": {1: 1, None: 2, (3,): 3, "\ud800": 4},
    "complex": 1j,
    "decimal": Decimal("NaN"),
    "many": list(range(100_000)),
    "bare": None,
}


def poisoned(value: object) -> Iterator[Generation]:
    """Records with *value* where an application, or a provider, may put something."""
    record = replace(generation(1), usage=USAGE, cost=COST)
    yield replace(record, attribution=Attribution(user="user-1", metadata={"team": "a", "poison": value, "last": "z"}))
    yield replace(record, attribution=Attribution(user="user-1", metadata={value: "a"} if type(value) is str else {}))
    yield replace(record, parameters={"temperature": value})  # type: ignore[dict-item]
    for name in ("provider", "response_model", "response_id", "native_finish_reason", "service_tier"):
        yield replace(record, **{name: value})  # type: ignore[arg-type]
    yield replace(record, finish_reasons=(value,))  # type: ignore[arg-type]
    yield replace(record, failure=Failure(type="E", code=value))  # type: ignore[arg-type]
    yield replace(record, usage=replace(USAGE, hosted_tool_calls={"web": value}))  # type: ignore[dict-item]


@pytest.mark.parametrize("name", POISONS)
def test_a_poisoned_record_takes_nothing_with_it(journal: FileJournal, name: str) -> None:
    """Nothing is raised, its neighbours arrive, and so do its own usage and cost."""
    records = list(poisoned(POISONS[name]))
    journal.append(generation(0))
    for record in records:
        journal.append(record)
    journal.append(generation(2))
    entries = journal.read(99)
    first, *there, last = (entry.generation for entry in entries)
    assert (first, last, len(there)) == (generation(0), generation(2), len(records))
    assert {(each.usage.input_tokens, each.usage.total_tokens, each.cost) for each in there} == {(12, 46, COST)}
    metadata = there[0].attribution.metadata
    assert (there[0].attribution.user, metadata["team"], metadata["last"]) == ("user-1", "a", "z")
    for entry in entries:
        journal.bury(entry, "looking whether a letter can be written")
    assert journal.counts() == Stats(recorded=len(entries), dead=len(entries))


def test_keys_that_are_called_like_money_change_none(journal: FileJournal) -> None:
    """Metadata stands apart."""
    names = ["usage", "cost", "total", "gen_ai.usage.total_cost", "id", "__proto__", "metadata", "for", "in_memory", ""]
    record = replace(
        generation(1), usage=USAGE, cost=COST, attribution=Attribution(metadata=dict.fromkeys(names, 10**6))
    )
    journal.append(record)
    assert [entry.generation for entry in journal.read(9)] == [record]


def test_ten_thousand_keys(journal: FileJournal) -> None:
    """As many as are sent are kept, the rest costs nothing."""
    metadata: dict[str, object] = {f"key {number}": "x" * 50 for number in range(10_000)}
    journal.append(replace(generation(1), usage=USAGE, cost=COST, attribution=Attribution(metadata=metadata)))
    (entry,) = journal.read(9)
    assert list(entry.generation.attribution.metadata)[:70] == list(metadata)[:70]
    assert (entry.generation.usage, entry.generation.cost) == (USAGE, COST)


def test_numbers_that_cannot_be_true_are_not_known(journal: FileJournal) -> None:
    """A count beyond 64 bits is none; the rest of the record stays."""
    journal.append(replace(generation(1), usage=replace(USAGE, output_tokens=2**64), cost=COST))
    (entry,) = journal.read(9)
    assert (entry.generation.usage, entry.generation.cost) == (replace(USAGE, output_tokens=None), COST)


class RudeDictionary(dict[str, object]):
    """A dictionary that cannot be asked anything."""

    def _raise(self, *_: object) -> Any:
        raise RuntimeError("a method of a value was called")

    items = keys = values = __iter__ = __len__ = __bool__ = __getitem__ = __contains__ = _raise  # type: ignore[assignment]


class RudeMapping(Mapping[str, object]):
    """A mapping that is no dictionary, and fails."""

    def __getitem__(self, key: str) -> object:
        raise RuntimeError("broken")

    __iter__ = __len__ = __getitem__  # type: ignore[assignment]


def test_a_dictionary_that_cannot_be_asked_is_read_all_the_same(journal: FileJournal) -> None:
    """Its class is the application's; none of its methods is called."""
    record = replace(generation(1), usage=USAGE, attribution=Attribution(metadata=RudeDictionary(team="a")))
    journal.append(record)
    assert [entry.generation.attribution.metadata for entry in journal.read(9)] == [{"team": "a"}]


def test_a_mapping_that_fails_costs_its_metadata_only(journal: FileJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the record arrives."""
    monkeypatch.setattr(package, "strict", False)
    record = replace(generation(1), usage=USAGE, attribution=Attribution(user="user-1", metadata=RudeMapping()))
    journal.append(record)
    (entry,) = journal.read(9)
    assert (entry.generation.usage, entry.generation.attribution) == (USAGE, Attribution(user="user-1"))


def test_whatever_goes_wrong_the_record_waits_in_memory(journal: FileJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours while a line is made costs no record."""
    monkeypatch.setattr(package, "strict", False)
    record = replace(generation(1), parameters=RudeDictionary(a=1))  # type: ignore[arg-type]
    journal.append(record)
    journal.append(generation(2))
    assert journal.counts() == Stats(recorded=2, waiting=2)
    (first,), (second,) = journal.read(9), journal.read(9)
    assert (first.generation.id, second.generation is record) == ("gen-2", True)


def test_no_recursion_limit_is_in_the_way(journal: FileJournal) -> None:
    """A call may be made deep down in an application."""

    def dive(levels: int) -> None:
        if levels:
            dive(levels - 1)
        else:
            journal.append(replace(generation(1), attribution=Attribution(metadata={"poison": depth()})))

    dive(sys.getrecursionlimit() - 250)
    assert drain(journal) == ids(1)


def test_an_id_that_cannot_be_written_is_still_the_same_each_time(journal: FileJournal) -> None:
    """Whatever a provider calls its answer."""
    record = replace(generation(1), id=GenerationId("\ud800" * 300))
    journal.append(record)
    journal.append(record)
    first, second = drain(journal)
    assert first == second
