"""Images: https://platform.openai.com/docs/api-reference/images and their stream, …/images-streaming."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from .._record import Outcome
from ._embeddings import read as read_plain
from ._formats import WireFormat
from ._openai_usage import read_usage
from ._plain import PlainAccumulator
from ._reading import as_items, as_name, dig

MAX_NOTES: Final = 16
"""The API makes at most 10 images a call."""


SVG: Final = "svg_authoring_call"
"""A call of another model, which writes a drawing; its tokens (``svg_usage``) are not in the usage of the pictures."""


def content(body: Mapping[str, object]) -> object:
    """The prompt; pictures that were sent along are files and never leave."""
    return {"prompt": body.get("prompt")}


def read(answer: object) -> Outcome:
    """What an image answer, or the last event of its stream, says. Pictures are noted by kind and size."""
    images = list(as_items(dig(answer, "data")))
    kind = as_name(dig(answer, "output_format")) or "png"
    picture = dig(answer, "b64_json")
    notes = [_note(kind, dig(image, "b64_json"), image) for image in images[:MAX_NOTES]]
    if picture is not None:
        notes.append(_note(kind, picture, answer))
    tools = None if dig(answer, "svg_usage") is None else {SVG: 1}
    made = len(images) or (1 if picture is not None else None)
    usage = read_usage(dig(answer, "usage"), hosted_tools=tools, images=made)
    return replace(read_plain(answer), usage=usage, output={"completion": None, "images": notes})


def _note(kind: str, picture: object, image: object) -> object:
    size = f", {len(picture) * 3 // 4} bytes" if isinstance(picture, str) else ""
    return {"image": f"[image/{kind}{size}]", "revised_prompt": as_name(dig(image, "revised_prompt"))}


IMAGES: Final = WireFormat(content=content, read=read, accumulator=PlainAccumulator.folding(read))
