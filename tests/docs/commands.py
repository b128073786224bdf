"""Whether the commands that the documents show exist, with their options."""

import ast
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Final

from typer.testing import CliRunner

from ramp_tracing.cli._app import build_app

from .blocks import ROOT


def ours(words: list[str]) -> None:
    """`ramp-tracing` understands these words; what stands behind ``--`` is the program's."""
    said = words[: words.index("--")] if "--" in words else words
    result = CliRunner().invoke(build_app(), [*said, "--help"])
    assert result.exit_code == 0, f"ramp-tracing {' '.join(words)}: {result.output}"
    if "--" in words:
        theirs = words[words.index("--") + 1 :]
        COMMANDS[theirs[0]](theirs[1:])


def python(words: list[str]) -> None:
    """A file of this repository exists; `dev.py` knows the command, and nox the sessions."""
    if words[0] == "-m" or ("/" not in words[0] and words[0] != "dev.py"):
        return
    assert (ROOT / words[0]).exists()
    if words[0] == "dev.py":
        tree = ast.parse((ROOT / "dev.py").read_text())
        assert words[1] in assigned(tree, "COMMANDS")
        assert sessions_of(words) <= known_sessions()


def assigned(tree: ast.Module, name: str) -> Any:
    """The value of a constant."""
    found = [node for node in tree.body if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name]
    assert found[0].value is not None
    return ast.literal_eval(found[0].value)


def sessions_of(words: list[str]) -> set[str]:
    """The sessions that a command names."""
    if "-s" not in words:
        return set()
    after = words[words.index("-s") + 1 :]
    return {word.partition("(")[0] for word in (after[: after.index("--")] if "--" in after else after)}


def known_sessions() -> set[str]:
    """The sessions of noxfile.py."""
    tree = ast.parse((ROOT / "noxfile.py").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {each.name for each in functions if any("nox.session" in ast.unparse(one) for one in each.decorator_list)}


def launched(words: list[str]) -> None:
    """OpenTelemetry's launcher, before something of which this knows more."""
    COMMANDS[words[0]](words[1:])


def installed(words: list[str]) -> None:
    """`pip install` of this package, with extras that it has."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert words[0] == "install"
    for each in words[1:]:
        match = re.fullmatch(r"ramp-tracing\[([\w,]+)\]", each)
        assert match is None or set(match[1].split(",")) <= set(extras)


def not_ours(_: list[str]) -> None:
    """Somebody else's command."""


COMMANDS: Final[Mapping[str, Callable[[list[str]], None]]] = {
    "celery": not_ours,
    "export": not_ours,
    "gunicorn": not_ours,
    "mlflow": not_ours,
    "opentelemetry-instrument": launched,
    "phoenix": not_ours,
    "pip": installed,
    "python": python,
    "python3.11": python,
    "ramp-tracing": ours,
    "unset": not_ours,
    "uvicorn": not_ours,
}
"""The first word of a line of a console, and who knows whether the rest is right."""
