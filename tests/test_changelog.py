"""The changelog has the form that people and tools know: https://keepachangelog.com/en/1.1.0/"""

import re
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from ramp_tracing._version import __version__

TEXT: Final = (Path(__file__).resolve().parents[1] / "CHANGELOG.md").read_text()
SECTIONS: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")

VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?")
"""https://semver.org, without build numbers, which an index of packages does not take."""

RELEASE: Final = re.compile(rf"\[(?P<version>{VERSION.pattern})\] - (?P<day>\d{{4}}-\d\d-\d\d)( \[YANKED\])?")


def chapters(text: str, level: str) -> list[tuple[str, str]]:
    """Heading and text of each chapter of a level, ``"## "`` or ``"### "``."""
    parts = re.split(rf"^{level}(.*)\n", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def wrong_in(text: str, version: str) -> list[str]:
    """What is not as it should be in a changelog of a package that has this version."""
    headings = [heading for heading, _ in chapters(text, "## ")]
    if not text.startswith("# Changelog\n") or headings[:1] != ["[Unreleased]"]:
        return ["it begins with '# Changelog', and its first version is '[Unreleased]'"]
    strange = [heading for heading in headings[1:] if not RELEASE.fullmatch(heading)]
    if strange:
        return [f"not '[1.2.3] - 2026-01-31': {heading}" for heading in strange]
    return [
        *wrong_order(headings[1:], version),
        *(w for name, one in chapters(text, "## ") for w in wrong_chapter(name, one)),
    ]


def wrong_order(headings: list[str], version: str) -> list[str]:
    """What is wrong with the releases: the newest is first, and is the version of the package."""
    releases = [found for heading in headings if (found := RELEASE.fullmatch(heading))]
    numbers = [tuple(int(number) for number in found["version"].partition("-")[0].split(".")) for found in releases]
    days = [date.fromisoformat(found["day"]) for found in releases]
    wrong = [] if numbers == sorted(numbers, reverse=True) else ["versions are not in order"]
    wrong += [] if days == sorted(days, reverse=True) else ["days are not in order"]
    return wrong + [
        f"the package is {version}, not {found['version']}" for found in releases[:1] if found["version"] != version
    ]


def wrong_chapter(name: str, text: str) -> list[str]:
    """What is wrong with the sections and lines of one version."""
    sections = chapters(text, "### ")
    names = [section for section, _ in sections]
    wrong = [] if names == [each for each in SECTIONS if each in names] else [f"{name}: the sections are {names}"]
    for section, lines in sections:
        entries = [entry.strip() for entry in re.split(r"^- ", lines.strip(), flags=re.MULTILINE) if entry]
        if not lines.strip().startswith("- ") or re.search(r"^(?!- |  \S|$)", lines, flags=re.MULTILINE):
            wrong.append(f"{name}, {section}: not a list")
        wrong += [f"{name}, {section}: said twice: {entry}" for entry in {*entries} if entries.count(entry) > 1]
    return wrong


def test_the_changelog_has_its_form() -> None:
    """Unreleased first, then versions with days, the newest first; known sections in their order; lists of entries."""
    assert [] == wrong_in(TEXT, __version__)


GOOD: Final = """# Changelog

## [Unreleased]

### Added

- A thing,
  told on two lines.

### Fixed

- Another.

## [0.2.0] - 2026-02-01

### Changed

- A third.

## [0.1.0] - 2026-01-01
"""


def test_a_changelog_with_releases_has_that_form_too() -> None:
    """The check knows what a release looks like, before there is one."""
    assert [] == wrong_in(GOOD, "0.2.0")


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        ("## [Unreleased]\n", "", "it begins with"),
        ("[0.2.0] - 2026-02-01", "[0.2.0] - 1 February", "not '[1.2.3] - 2026-01-31'"),
        ("[0.2.0] - 2026-02-01", "[0.2] - 2026-02-01", "not '[1.2.3] - 2026-01-31'"),
        ("[0.1.0]", "[0.3.0]", "versions are not in order"),
        ("2026-01-01", "2026-03-01", "days are not in order"),
        ("[0.2.0]", "[0.3.0]", "the package is 0.2.0"),
        ("### Fixed", "### Mended", "the sections are"),
        ("### Changed", "### Fixed\n\n- A fourth.\n\n### Changed", "the sections are"),
        ("- Another.", "Another.", "not a list"),
        ("- Another.", "- Another.\n- Another.", "said twice"),
        ("- Another.\n", "", "not a list"),
    ],
    ids=lambda text: text.strip()[:24],
)
def test_another_form_is_noticed(good: str, bad: str, complaint: str) -> None:
    """Each way to get it wrong is one complaint."""
    [said] = wrong_in(GOOD.replace(good, bad), "0.2.0")
    assert complaint in said


def test_the_version_is_a_semantic_one() -> None:
    """Three numbers, and a word after a hyphen at most."""
    assert VERSION.fullmatch(__version__)
