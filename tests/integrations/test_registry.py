"""What is known of each library is in one row, and what adding one touches is what docs/adding-a-library.md says."""

import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Final, get_args

import pytest

import ramp_tracing
from ramp_tracing.exceptions import ConfigurationError
from ramp_tracing.integrations import REGISTRY, LibraryName, Supported

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = ROOT / "src" / "ramp_tracing"
EXTRAS: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

each_library = pytest.mark.parametrize("library", REGISTRY.values(), ids=lambda library: library.name)


def test_each_name_has_one_row() -> None:
    """What a type checker lets `instrument()` be told is what there is."""
    assert get_args(LibraryName) == tuple(library.name for library in REGISTRY.values())


@each_library
def test_row_is_what_pip_is_told(library: Supported) -> None:
    """The versions are those of the extra, and `[all]` has it."""
    bounds = f">={library.oldest}" + (f",<{library.untested}" if library.untested else "")
    assert [f"{library.distribution}{bounds}"] == EXTRAS[library.name]
    [everything] = EXTRAS["all"]
    assert library.name in re.findall(r"\w+", everything.partition("[")[2])


@each_library
def test_row_names_a_module_and_a_page(library: Supported) -> None:
    """Each library has its integration and its page, named like it."""
    integration = import_module(f"ramp_tracing.integrations.{library.name}")
    assert callable(integration.install)
    assert callable(integration.uninstall)
    assert (ROOT / "docs" / f"{library.name}.md").exists()


def test_an_unknown_name_is_told_the_known_ones() -> None:
    """By the names that people use."""
    known = ", ".join(get_args(LibraryName))
    with pytest.raises(ConfigurationError, match=f"no integration 'nothing'; there are {known}$"):
        ramp_tracing.instrument("nothing", api_key="test")  # type: ignore[arg-type]


def test_the_example_is_as_small_as_its_page_says() -> None:
    """
    Of the files of the package, only the registry knows the integration of the anthropic client and its wire format.

    What others know of Anthropic is the provider, which gateways and other libraries lead to as well: its host, its
    models' names, its counts and its prices.
    """
    own = {SOURCE / "integrations" / "anthropic.py", SOURCE / "_normalizers" / "_anthropic.py"}
    knows = re.compile(r"^\s*(from|import)\b.*\banthropic\b|\b_anthropic\b|name=\"anthropic\"", re.MULTILINE)
    found = {path for path in SOURCE.rglob("*.py") if knows.search(path.read_text())}
    assert {SOURCE / "integrations" / "__init__.py"} == found - own
