"""``python -m tests.neighbours NAME…``: a table; exit status 1 if anything is not as it is without the other one."""

import argparse
import json
import sys
from typing import Any

from .arrangements import ALONE, TOGETHER
from .comparing import Difference, Report, arrangements_of, changed_by_them, changed_by_us, differences, run
from .known import known
from .neighbours import NEIGHBOURS


def show(name: str, *, details: bool, only: str = "") -> bool:
    """Run every arrangement of one neighbour; whether all is as it should be, or as is known."""
    can_stop = NEIGHBOURS[name].make().can_stop
    reports: dict[str, Report] = {each: run(name, each) for each in arrangements_of(can_stop, ALONE)}
    print(f"{name}: {', '.join(f'{key} {value}' for key, value in reports['theirs']['versions'].items())}")
    print(f"  changed by them alone: {', '.join(changed_by_them(reports)) or 'nothing'}")
    passed = not changed_by_us(reports)
    for arrangement in arrangements_of(can_stop, TOGETHER):
        if only not in arrangement:
            continue
        reports[arrangement] = run(name, arrangement)
        found = list(differences(arrangement, reports))
        unknown = [each for each in found if known(name, each) is None]
        passed = passed and not unknown
        print(f"  {arrangement:28} {_verdict(found, unknown)}", flush=True)
        for each in found if details else unknown:
            print(_described(each))
    return passed


def _verdict(found: list[Difference], unknown: list[Difference]) -> str:
    if not found:
        return "same"
    return f"{len(unknown)} differences, {len(found) - len(unknown)} that are known"


def _described(difference: Difference) -> str:
    lines = [f"    {difference.side} {difference.call}"]
    lines += [f"      {line}" for line in _unlike(difference.expected, difference.found)]
    return "\n".join(lines)


def _unlike(expected: Any, found: Any, path: str = "") -> list[str]:
    """Where two JSON values differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = sorted({*expected, *found})
        return [line for key in keys for line in _unlike(expected.get(key), found.get(key), f"{path}.{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for index, pair in pairs for line in _unlike(*pair, f"{path}[{index}]")]
    if expected == found:
        return []
    return [f"{path}: {json.dumps(expected)[:300]} -> {json.dumps(found)[:300]}"]


def main() -> int:
    """Run those that are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.neighbours", description=__doc__)
    parser.add_argument("names", nargs="+", choices=NEIGHBOURS, metavar="NAME")
    parser.add_argument("--details", action="store_true", help="the differences that are known as well")
    parser.add_argument("--only", default="", metavar="WORDS", help="only the orders that have these words in them")
    words = parser.parse_args()
    failed = [name for name in words.names if not show(name, details=words.details, only=words.only)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
