"""Pictures, sound and files stay; a note of kind and size leaves."""

import base64
import json
import random
import sys
from types import FrameType

import pytest

from ramp_tracing._capture import json_text, metadata_value
from ramp_tracing._capture._binary import WINDOW, without_files

NOISE = random.Random(7).randbytes(3000)
BASE64 = base64.b64encode(NOISE).decode()
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + NOISE).decode()
WAV = base64.b64encode(b"RIFF\x00\x00\x00\x00WAVE" + NOISE).decode()
PDF = base64.b64encode(b"%PDF-1.7" + NOISE).decode()
WRAPPED = base64.encodebytes(NOISE).decode()
SHORT = base64.b64encode(b"tiny").decode()

CASES = {
    # OpenAI
    "image_url": (
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "[image/png, 3008 bytes]", "detail": "low"}},
    ),
    "input_image": (
        {"type": "input_image", "image_url": f"data:image/jpeg;base64,{SHORT}"},
        {"type": "input_image", "image_url": "[image/jpeg, 4 bytes]"},
    ),
    "signed link": (
        {"image_url": {"url": "https://user:key@files.example.org/a/b.png?sig=secret&se=1#top"}},
        {"image_url": {"url": "https://files.example.org/a/b.png"}},
    ),
    "signed link to a made image": (
        {"data": [{"url": "https://files.example.org/made.png?sig=secret"}]},
        {"data": [{"url": "https://files.example.org/made.png"}]},
    ),
    "file_url": ({"file_url": "https://example.org/a.pdf?key=1"}, {"file_url": "https://example.org/a.pdf"}),
    "a citation keeps its query": (
        {"url_citation": {"url": "https://example.org/?id=1", "title": "t"}},
        {"url_citation": {"url": "https://example.org/?id=1", "title": "t"}},
    ),
    "input_audio": (
        {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "[audio/wav, 3012 bytes]", "format": "wav"}},
    ),
    "short input_audio": (
        {"input_audio": {"data": SHORT, "format": "mp3"}},
        {"input_audio": {"data": "[audio/mp3, 4 bytes]", "format": "mp3"}},
    ),
    "audio of an answer": (
        {"audio": {"id": "a", "data": SHORT, "transcript": "hello"}},
        {"audio": {"id": "a", "data": "[audio, 4 bytes]", "transcript": "hello"}},
    ),
    "file_data as a data URI": (
        {"file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
        {"file": {"filename": "a.pdf", "file_data": "[application/pdf, 3008 bytes]"}},
    ),
    "file_data as base64": (
        {"type": "input_file", "file_data": PDF},
        {"type": "input_file", "file_data": "[application/pdf, 3008 bytes]"},
    ),
    "b64_json": ({"data": [{"b64_json": PNG}]}, {"data": [{"b64_json": "[image/png, 3008 bytes]"}]}),
    "b64_json of unknown kind": ({"b64_json": SHORT}, {"b64_json": "[image, 4 bytes]"}),
    "partial_image_b64": (
        {"partial_image_b64": SHORT, "output_format": "webp"},
        {"partial_image_b64": "[image/webp, 4 bytes]", "output_format": "webp"},
    ),
    "image_generation_call": (
        {"type": "image_generation_call", "result": SHORT, "output_format": "png"},
        {"type": "image_generation_call", "result": "[image/png, 4 bytes]", "output_format": "png"},
    ),
    # others
    "Anthropic's source": (
        {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": SHORT}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "[image/webp, 4 bytes]"}},
    ),
    "Anthropic's link": (
        {"source": {"type": "url", "url": "https://example.org/a.png?x=1"}},
        {"source": {"type": "url", "url": "https://example.org/a.png"}},
    ),
    "Anthropic's text document": (
        {"source": {"type": "text", "media_type": "text/plain", "data": "some words"}},
        {"source": {"type": "text", "media_type": "text/plain", "data": "[text/plain, 10 bytes]"}},
    ),
    "Gemini's inline data": (
        {"inline_data": {"mime_type": "image/png", "data": SHORT}},
        {"inline_data": {"mime_type": "image/png", "data": "[image/png, 4 bytes]"}},
    ),
    "LangChain's block": (
        {"type": "image", "base64": SHORT, "mime_type": "image/gif"},
        {"type": "image", "base64": "[image/gif, 4 bytes]", "mime_type": "image/gif"},
    ),
    "LangChain's older block": (
        {"type": "audio", "source_type": "base64", "mime_type": "audio/wav", "data": SHORT},
        {"type": "audio", "source_type": "base64", "mime_type": "audio/wav", "data": "[audio/wav, 4 bytes]"},
    ),
    "a kind that is none": (
        {"inline_data": {"mime_type": "no kind" * 100, "data": SHORT}},
        {"inline_data": {"mime_type": "no kind" * 100, "data": "[file, 4 bytes]"}},
    ),
    "bytes": ({"image": NOISE}, {"image": "[bytes, 3000 bytes]"}),
    "bytearray": ([bytearray(5)], ["[bytes, 5 bytes]"]),
    "a file to upload": (("a.png", NOISE, "image/png"), ["a.png", "[bytes, 3000 bytes]", "image/png"]),
    # inside text
    "base64 alone": (BASE64, "[base64, 3000 bytes]"),
    "base64 for URLs": (BASE64.replace("+", "-").replace("/", "_"), "[base64, 3000 bytes]"),
    "a picture alone": ({"screenshot": PNG}, {"screenshot": "[image/png, 3008 bytes]"}),
    "a picture in Markdown": (
        f"Look: ![chart](data:image/png;base64,{PNG}) and then this.",
        "Look: ![chart]([image/png, 3008 bytes]) and then this.",
    ),
    "a small picture in Markdown": (f"![x](data:image/gif;base64,{SHORT})", "![x]([image/gif, 4 bytes])"),
    "two of them": (
        f"data:image/png;base64,{SHORT} data:image/gif;charset=x;base64,{SHORT}",
        "[image/png, 4 bytes] [image/gif, 4 bytes]",
    ),
    "a data URI that does not name its kind": (f"data:;base64,{PNG}", "[image/png, 3008 bytes]"),
    "a drawing": ("data:image/svg+xml,%3Csvg/%3E", "[image/svg+xml, 10 bytes]"),
    "a tool's arguments": (json.dumps({"image": PNG, "n": 1}), '{"image": "[image/png, 3008 bytes]", "n": 1}'),
    "base64 within prose": (f"The file is {BASE64}, as you see.", "The file is [base64, 3000 bytes], as you see."),
    "JSON in JSON": (
        json.dumps({"inner": json.dumps({"uri": f"data:image/png;base64,{PNG}"})}),
        json.dumps({"inner": json.dumps({"uri": "[image/png, 3008 bytes]"})}),
    ),
}

KEPT = {
    "prose": "Some words, and more of them. " * 200,
    "one letter": "a" * 5000,
    "DNA": "ACGTTGCA" * 500,
    "hexadecimal": NOISE.hex(),
    "a list of words": "Alpha1\nBeta2\nGamma3\n" * 200,
    "prose that begins like a data URI": "data: five rows, base64, and more",
    "an example of a data URI": "Write data:image/png;base64,<your data> there",
    "code": "const x = {a:1,b:[1,2,3]};function f(y){return y+1}" * 100,
    "a short key": "sk_test_" + "A1b2C3d4" * 20,
}


@pytest.mark.parametrize("name", CASES)
def test_replaced(name: str) -> None:
    """A file becomes a note of its kind and size; all that is around it stays."""
    value, expected = CASES[name]
    assert json.loads(json_text(value)) == expected


@pytest.mark.parametrize("name", KEPT)
def test_kept(name: str) -> None:
    """Text that only looks a little like a file is text."""
    assert json.loads(json_text({"text": KEPT[name]})) == {"text": KEPT[name]}


@pytest.mark.parametrize("before", range(0, 1100, 97))
def test_anywhere(before: int) -> None:
    """A file is found wherever in a text it begins."""
    words = ("word " * 300)[:before]
    assert json.loads(json_text(f"{words}<{BASE64}> {words}")) == f"{words}<[base64, 3000 bytes]> {words}"


def test_in_lines() -> None:
    """Base64 in the short lines of MIME is found too, and no line of it is left."""
    text = json.loads(json_text(f"Attached:\n\n{WRAPPED}\nRegards"))
    assert text.startswith("Attached:\n\n[base64, ")
    assert text.endswith("Regards")
    assert len(text) < 60


def test_metadata() -> None:
    """Metadata is no side door."""
    assert metadata_value({"picture": f"data:image/png;base64,{PNG}"}) == '{"picture":"[image/png, 3008 bytes]"}'
    assert metadata_value(BASE64) == "[base64, 3000 bytes]"
    assert metadata_value(NOISE) == "[bytes, 3000 bytes]"


CRAFTED = {
    "headers without a mark": "data:;x;" * 500_000 + ";base64,",
    "headers with too many parameters": ("data:a/b;" + ";".join(["x" * 99] * 7)) * 5_000 + ";base64,",
    "lines that are a few too short for a block": (("A" * 60 + "\n") * 15 + "B" * 50 + "\n") * 4_000,
    "a file and nothing else": "Ab1+" * 1_000_000,
}
"""Texts that a search over all of them takes long for."""


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_text_is_looked_at_in_slices(name: str) -> None:
    """A pattern's search lets no other thread run until it has ended, so none may go over a whole text."""
    searches: list[int] = []

    def count(_frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and getattr(called, "__name__", "") in ("search", "match", "find"):
            searches.append(1)

    text = CRAFTED[name]
    sys.setprofile(count)
    try:
        left = without_files(text)
    finally:
        sys.setprofile(None)
    assert len(left) <= len(text)
    dense = 0 if ";base64," in text else len(text) // (2 * WINDOW)
    assert dense <= len(searches) <= len(text) // 100


@pytest.mark.parametrize("before", range(WINDOW - 1_300, WINDOW + 50, 77))
def test_a_file_is_found_wherever_a_slice_ends(before: int) -> None:
    """In one line, in lines, and behind a header."""
    lines = "\n".join(["x"] * (before // 2))
    assert f"{lines}\n [image/png, 3008 bytes]" == without_files(f"{lines}\n {PNG}")
    assert "[base64, 3039 bytes]" in without_files(f"{lines}\n {WRAPPED}")
    assert f"{lines} [image/png, 3008 bytes]" == without_files(f"{lines} data:image/png;base64,{PNG}")
