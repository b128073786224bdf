"""
Pictures, sound and files inside text.

Base64 is recognised and measured, never decoded. Prose must cost nothing: a run of base64 that is long enough to
matter covers one of a few sampled places, and at such a place prose is recognised by its first space.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

from ._text import size_note

MIN_URI: Final = len("data:a/b;base64,")
"""Most texts are names and roles: shorter than the beginning of a data URI."""

MIN_RUN: Final = 1024
"""Shorter runs may be keys, hashes and signatures that a text speaks about; a picture is never that small."""

STEP: Final = MIN_RUN // 2
"""Every run of `MIN_RUN` characters covers at least one whole stretch between two multiples of this."""

WINDOW: Final = 64 * 1024
"""Characters that are looked at in one go, without letting other threads run: a few milliseconds at the worst."""

MAX_DECISION: Final = 2 * MIN_RUN
"""More characters than it takes to tell whether a run begins at a place: `MIN_RUN`, or 16 lines of 78."""

Place = tuple[int, int]
"""Where something begins and ends."""

MIN_DISTINCT: Final = 24
"""Base64 of a file uses most of its 64 characters within a kilobyte; repeated letters, DNA and hexadecimal do not."""

ALPHABET: Final = r"A-Za-z0-9+/_=\\\-"
"""Of base64, its form for URLs, and the backslashes of base64 that was put into JSON once more."""

BASE64: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=\r\n")

URI_HEADER: Final = r"data:([\w.+-]{1,80}/[\w.+-]{1,80})?(?:;[^;,\s]{1,100}){0,5}?;base64,"
URI_DATA: Final = rf"[%{ALPHABET}]{{4,}}+(?:[\r\n]{{1,2}}[{ALPHABET}]{{60,}}+)*+"
"""RFC 2397, with the line breaks that some encoders put into the data."""

MARK: Final = ";base64,"
"""How the header of a data URI ends. It cannot be inside of one, so that each is looked for behind the last mark."""

MAX_HEADER: Final = len("data:") + 161 + 5 * 101 + len(MARK)
"""What `URI_HEADER` can match at most."""

PLAIN_DATA_URI: Final = r"data:((?:application|audio|font|image|video)/[\w.+-]{1,80})[;,]"
"""A data URI that is not base64 (drawings in SVG), recognised as a whole text only."""

STRETCH: Final = rf"[{ALPHABET}\r\n]{{{STEP}}}"
REST: Final = rf"[{ALPHABET}\r\n]*+"
RUN: Final = (
    rf"(?<![{ALPHABET}])[{ALPHABET}]{{{MIN_RUN},}}+"
    rf"|(?<![{ALPHABET}])(?:[A-Za-z0-9+/]{{60,76}}[\r\n]{{1,2}}){{16,}}+[A-Za-z0-9+/]{{0,76}}={{0,2}}"
)
"""One long line, or a block of the short lines that MIME asks for."""

SIGNATURES: Final[tuple[tuple[str, str, str], ...]] = (
    ("iVBORw0KGgo", "", "image/png"),
    ("/9j/", "", "image/jpeg"),
    ("R0lGOD", "", "image/gif"),
    ("UklGR", "RUJQ", "image/webp"),
    ("UklGR", "QVZF", "audio/wav"),
    ("SUQz", "", "audio/mpeg"),
    ("T2dnUw", "", "audio/ogg"),
    ("ZkxhQ", "", "audio/flac"),
    ("JVBERi", "", "application/pdf"),
    ("UEsDB", "", "application/zip"),
)
"""How files begin in base64: (first characters, characters 12 to 15, kind)."""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """*pattern*, ready for use: compiling all of them at import would be a third of its time."""
    return re.compile(pattern, re.ASCII)


def without_files(text: str) -> str:
    """*text* with a note of kind and size in the place of each data URI and each long run of base64."""
    if len(text) < MIN_URI:
        return text
    if ";" in text and MARK in text:  # to look for one character takes a tenth of the time
        text = _replaced(text, _uris(text), lambda start, end: _embedded_note(text[start:end]))
    if text[0] == "d" and text.startswith("data:"):  # likewise
        plain = _compiled(PLAIN_DATA_URI).match(text)
        if plain is not None:
            return size_note(plain[1].lower(), len(text) - plain.end())
    return _without_runs(text) if len(text) >= MIN_RUN else text


def file_note(text: str, *, declared: str | None, otherwise: str) -> str:
    """
    The note for a text that is known to be a file; its beginning and its length are looked at, no more.

    Args:
        text: Base64, a data URI, or the text of a file that is text.
        declared: The kind that its neighbours declare.
        otherwise: What it is called where neither they nor its own first characters say so.
    """
    header = _compiled(URI_HEADER).match(text)
    start = 0 if header is None else header.end()
    kind = declared or (header[1] if header is not None else None) or _signed_kind(text, start) or otherwise
    return size_note(kind.lower(), _decoded_bytes(text, start))


def is_data_uri(text: str) -> bool:
    """Whether *text* begins as a data URI in base64."""
    return _compiled(URI_HEADER).match(text) is not None


def _uris(text: str) -> Iterator[Place]:
    """
    Where data URIs are.

    Each search is for one mark and looks at a few hundred characters: one search over all of a text that somebody has
    made for it takes 100 ms for each megabyte, and no other thread of the application runs meanwhile.
    """
    done, mark = 0, text.find(MARK)
    while mark >= 0:
        behind = mark + len(MARK)
        header = _compiled(URI_HEADER).search(text, max(done, behind - MAX_HEADER), behind)
        uri = None if header is None or header.end() != behind else _compiled(URI_DATA).match(text, behind)
        done = behind if uri is None else uri.end()
        if header is not None and uri is not None:
            yield header.start(), done
        mark = text.find(MARK, done)


def _replaced(text: str, places: Iterable[Place], note: Callable[[int, int], str]) -> str:
    """*text* with a note in each of *places*."""
    pieces: list[str] = []
    done = 0
    for start, end in places:
        pieces += (text[done:start], note(start, end))
        done = end
    return "".join((*pieces, text[done:])) if pieces else text


def _embedded_note(text: str) -> str:
    """The note, and the backslashes that quote whatever follows: they are not part of the file."""
    file = text.rstrip("\\")
    return file_note(file, declared=None, otherwise="base64") + text[len(file) :]


def _signed_kind(text: str, start: int) -> str | None:
    for begins, goes_on, kind in SIGNATURES:
        if text.startswith(begins, start) and text.startswith(goes_on, start + 12):
            return kind
    return None


def _decoded_bytes(text: str, start: int) -> int:
    """The size of what base64 stands for; of other text its own length."""
    length = len(text) - start
    if any(character not in BASE64 for character in text[start : start + 64]):
        return length
    padding = text[-2:].count("=")
    return (length - padding) * 3 // 4


def _without_runs(text: str) -> str:
    return _replaced(text, _runs(text), lambda start, end: _run_note(text[start:end]))


def _runs(text: str) -> Iterator[Place]:
    """Where runs of base64 are, and what looks like one."""
    for start, end in _dense_regions(text):
        while (run := _next_run(text, start, end)) is not None:
            start = run.end()
            yield run.span()


def _next_run(text: str, start: int, end: int) -> re.Match[str] | None:
    """
    The first run in a region.

    A window after the other, so that other threads can run in between: whether a run begins at a place can be told from
    the next `MAX_DECISION` characters, and where a window ends short of them the next one looks again.
    """
    runs = _compiled(RUN)
    while start < end:
        window = min(end, start + WINDOW)
        run = runs.search(text, start, window)
        if run is not None and window < end and run.end() > window - MAX_DECISION:
            start = run.start() + 1
            run = runs.match(text, start - 1, end)
        elif run is None:
            start = end if window == end else window - MAX_DECISION
        if run is not None:
            return run
    return None


def _dense_regions(text: str) -> Iterator[tuple[int, int]]:
    """The regions of *text* that have nothing but base64 characters and are long enough to hold a run."""
    at, done = 0, 0
    stretches = _compiled(STRETCH).match
    while at + STEP <= len(text):
        if stretches(text, at) is None:
            at += STEP
            continue
        end = _region_end(text, at)
        yield _region_start(text, at, done), end
        done = end
        at = -(-end // STEP) * STEP


def _region_end(text: str, at: int) -> int:
    """Where the region around *at* ends; in windows, so that other threads can run in between."""
    rest = _compiled(REST)
    end = at
    while (found := rest.match(text, end, end + WINDOW)) is not None and found.end() == end + WINDOW:
        end += WINDOW
    return len(text) if found is None else found.end()


def _region_start(text: str, at: int, floor: int) -> int:
    """Where the region around *at* begins; the stretch before it holds another character, or is the text's edge."""
    low = max(floor, at - STEP)
    before = text[low:at]
    dense = _compiled(REST).match(before[::-1])
    return at - (0 if dense is None else dense.end())


def _run_note(run: str) -> str:
    """The note for a run, or the run itself if it only looks like base64."""
    sample = set(run[:MIN_RUN])
    plainly = (
        len(sample) >= MIN_DISTINCT
        and not sample.isdisjoint("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        and not sample.isdisjoint("abcdefghijklmnopqrstuvwxyz")
        and not sample.isdisjoint("0123456789")
    )
    return _embedded_note(run) if plainly else run
