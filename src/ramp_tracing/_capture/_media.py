"""
Members of JSON objects that hold a picture, a sound, a file, or a link to one.

The shapes: OpenAI's content parts (https://platform.openai.com/docs/api-reference/chat/create), images and their
streams, Anthropic's sources, Gemini's inline data, LangChain's content blocks.
"""

import re
from collections.abc import Mapping
from typing import Final

from ._binary import file_note, is_data_uri, without_files

FILES: Final[Mapping[str, str]] = {
    "b64_json": "image",
    "partial_image_b64": "image",
    "file_data": "file",
    "base64": "file",
}
"""Members that hold a file wherever they are → what it is called when nothing says it better."""

DATA_OF: Final[Mapping[str, str]] = {
    "input_audio": "audio",
    "audio": "audio",
    "source": "file",
    "inline_data": "file",
    "inlineData": "file",
}
"""Objects whose ``data`` is a file → what it is called when nothing says it better."""

MEDIA_TYPES: Final = ("media_type", "mime_type", "mimeType")
"""Neighbours that name the kind in full, and that make a ``data`` beside them a file."""

FORMATS: Final = ("format", "output_format")
"""Neighbours that name it in one word: ``wav``, ``png``."""

LINKS: Final = frozenset({"image_url", "file_url", "audio_url", "video_url"})
"""Members that hold a link to a file."""

LINKING: Final = LINKS | {"audio", "data", "file", "image", "images", "source", "video"}
"""Objects whose ``url`` is a link to a file; a citation's is not, and keeps its query."""

MARKED: Final = frozenset({*FILES, *LINKS, "data", "result", "url"})
"""Every name that means something here: most members have another, and are only text."""

MEDIA_TYPE: Final = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}", re.ASCII)
FORMAT: Final = re.compile(r"[\w.+-]{1,20}", re.ASCII)
LINK: Final = re.compile(r"(https?://)(?:[^/?#@]*@)?([^?#]*)", re.IGNORECASE)


def member_text(name: str, text: str, neighbours: Mapping[str, object], parent: str) -> str:
    """
    What of a member of a JSON object may leave.

    Args:
        name: Its name.
        text: Its value.
        neighbours: The members of the same object.
        parent: The name of the member that the object is in, or in a list of.
    """
    if name not in MARKED:
        return without_files(text)
    kind = _file_kind(name, neighbours, parent)
    if kind is not None and text:
        return file_note(text, declared=_declared_kind(kind, neighbours), otherwise=kind)
    if name in LINKS or (name == "url" and parent in LINKING):
        if is_data_uri(text):
            return file_note(text, declared=None, otherwise="file")
        link = LINK.match(text)
        if link is not None:  # signed links give whoever has them the file
            return link[1] + link[2]
    return without_files(text)


def _file_kind(name: str, neighbours: Mapping[str, object], parent: str) -> str | None:
    if name in FILES:
        return FILES[name]
    if name == "data":
        return DATA_OF.get(parent) or ("file" if any(key in neighbours for key in MEDIA_TYPES) else None)
    if name == "result" and neighbours.get("type") == "image_generation_call":
        return "image"
    return None


def _declared_kind(family: str, neighbours: Mapping[str, object]) -> str | None:
    for key in MEDIA_TYPES:
        named = neighbours.get(key)
        if type(named) is str and MEDIA_TYPE.fullmatch(named):
            return named
    for key in FORMATS if family != "file" else ():
        word = neighbours.get(key)
        if type(word) is str and FORMAT.fullmatch(word):
            return f"{family}/{word}"
    return None
