"""Records that break somebody: what `record_generation` is given, row by row."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final


class Rude:
    """Nothing that an outsider asks of it goes well."""

    def _refuse(self, *arguments: object) -> Any:
        raise RuntimeError("do not touch")

    __str__ = __repr__ = __len__ = __iter__ = __bool__ = __eq__ = __hash__ = __index__ = __float__ = _refuse
    __getitem__ = __fspath__ = __reduce_ex__ = __copy__ = __deepcopy__ = keys = items = values = model_dump = _refuse


class RudeMapping(dict[str, Any]):
    """A mapping that cannot be walked."""

    def items(self) -> Any:
        raise RuntimeError("do not touch")

    keys = values = __iter__ = __len__ = items


def everywhere(value: object) -> dict[str, Any]:
    """*value* where applications put what they have: in metadata, in messages, in the answer."""
    return {
        "metadata": {"poison": value, "deeper": {"list": [value]}},
        "input_messages": [{"role": "user", "content": value}],
        "output_messages": value,
    }


def cycle() -> dict[str, Any]:
    """A structure that contains itself."""
    around: dict[str, Any] = {}
    around["self"] = [around]
    return everywhere(around)


def deep() -> dict[str, Any]:
    """More levels than Python's stack has."""
    inner: list[Any] = []
    for _ in range(100_000):
        inner = [inner]
    return everywhere(inner)


def many_keys() -> dict[str, Any]:
    """More metadata than any span may have."""
    return {"metadata": {f"key{number}": number for number in range(10_000)}}


MONEY_NAMES: Final = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.total_cost",
    "gen_ai.response.id",
    "session.id",
    "span.type",
    "input_tokens",
    "session_id",
    "cost",
)

HOSTILE_KEYS: Final = {
    "": "empty",
    "\0": "NUL",
    "__proto__": "js",
    "\u202e": "RTL",
    "k" * 1_000_000: "long",
    "\ud800": 1,
}

POISONS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "badstr": lambda: everywhere(Rude()),
    "badmapping": lambda: {**everywhere(RudeMapping(a=1)), "metadata": RudeMapping(a=1)},
    "bigint": lambda: everywhere(2**70),
    "bytes": lambda: everywhere(b"\xff\x00" * 10),
    "cycle": cycle,
    "deep": deep,
    "generator": lambda: everywhere(iter(range(3))),
    "huge": lambda: everywhere("x" * (20 << 20)),
    "keys": many_keys,
    "hostilekeys": lambda: {"metadata": HOSTILE_KEYS},
    "moneykeys": lambda: {"metadata": dict.fromkeys(MONEY_NAMES, 0)},
    "namesurrogate": lambda: {"generation_name": "\ud800", "model": "\udfff", "user": "\ud800"},
    "nan": lambda: everywhere(math.nan) | {"metadata": {"poison": [math.inf, -math.inf, math.nan]}},
    "nonstrkey": lambda: everywhere({1: "a", (1, 2): "b", None: "c"}) | {"metadata": {1: 2, None: 3, "ok": {4: 5}}},
    "object": lambda: everywhere(object()),
    "surrogate": lambda: everywhere("half \ud800 a pair"),
}
"""Name → the arguments beside marker and money, which must arrive all the same."""

ODD_NUMBERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "oddtokens": {"input_tokens": 2**70, "output_tokens": -1},
    "oddkinds": {"input_tokens": Rude(), "output_tokens": math.nan, "cost": "much", "started": "now", "error": Rude()},
    "oddcost": {"cost": math.inf},
}
"""Name → numbers that are none. They cannot arrive; the record can, and its neighbours must."""
