"""`python -m tests`: what fails beside others runs once more, alone."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import __main__ as rerun


@pytest.mark.parametrize(
    ("runs", "status", "named"),
    [
        ([(0, [])], 0, []),
        ([(1, ["a"]), (0, [])], 0, ["a"]),
        ([(1, ["a", "b", "c"]), (0, [])], 0, ["a", "b", "c"]),
        ([(1, ["a", "b"]), (1, ["a"])], 1, []),
        ([(1, ["a", "b", "c", "d"])], 1, []),
        ([(1, [])], 1, []),
        ([(2, ["a"])], 2, []),
        ([(1, ["a"]), (0, ["a"])], 1, []),
        ([(1, ["a"]), (5, ["a"])], 5, []),
    ],
    ids=["well", "one", "three", "twice", "many", "none", "not all ran", "another ran", "nothing ran"],
)
def test_what_passes_alone_is_named_and_fails_nothing(
    runs: list[tuple[int, list[str]]],
    status: int,
    named: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever else happens, the run has failed; pytest's part is played: its statuses, and what it keeps as failed."""

    def played(command: Sequence[str]) -> int:
        [cache] = [Path(word.partition("cache_dir=")[2]) for word in command if "cache_dir=" in word]
        (cache / "v" / "cache").mkdir(parents=True, exist_ok=True)
        code, failed = runs.pop(0)
        (cache / "v" / "cache" / "lastfailed").write_text(json.dumps(dict.fromkeys(failed, True)))
        return code

    monkeypatch.setattr(rerun.subprocess, "call", played)
    monkeypatch.setattr(rerun, "UNSTEADY", tmp_path / "output" / "unsteady.txt")
    assert (rerun.main(["tests"]), runs) == (status, [])
    assert (rerun.UNSTEADY.read_text().split() if rerun.UNSTEADY.exists() else []) == named
    assert ("UNSTEADY" in capsys.readouterr().out) is bool(named)
