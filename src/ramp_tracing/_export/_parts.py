"""Parts of messages, in the form of OpenTelemetry's GenAI conventions: a table from the types that libraries have."""

from collections.abc import Callable, Mapping
from typing import Final, cast

import orjson

Fields = Mapping[str, object]
"""A JSON object."""


def part_of(block: object) -> Fields:
    """The part that a block of content becomes; what has no form in the conventions is passed on as it is."""
    if isinstance(block, str):
        return _text_part("text", block)
    fields = fields_of(block)
    if not fields:
        return generic_part({"content": block})
    return READERS.get(str(fields.get("type")), generic_part)(fields)


def reads(block: Fields) -> bool:
    """Whether a block's type says by itself what it becomes."""
    return str(block.get("type")) in READERS


def generic_part(fields: Fields) -> Fields:
    """A part of a type that the conventions do not know; they allow any."""
    kind = fields.get("type")
    return {**fields, "type": kind if isinstance(kind, str) else "generic"}


def function_call_part(call: Fields) -> Fields:
    """
    A tool call of chat completions (the function, or the custom tool, is nested) or of the Responses API (it is not).

    What a custom tool is called with is a text, also where that could be read as JSON. Of a call of a computer, a
    shell or an editor the type is the name.
    """
    function = fields_of(call.get("function")) or fields_of(call.get("custom")) or call
    identity = call.get("call_id") or call.get("id")
    given = next((function[name] for name in GIVEN if function.get(name) is not None), None)
    arguments = value_of(function["arguments"]) if "arguments" in function else given
    return _call_part(identity, function.get("name") or _tool_of(call.get("type")), arguments)


def _tool_of(kind: object) -> str:
    """The tool that a type of call is for: ``local_shell_call``."""
    return kind.removesuffix("_call") if isinstance(kind, str) and kind in ACTIONS else ""


def response_part(identity: object, response: object) -> Fields:
    """What a tool answered."""
    return {"type": "tool_call_response", **_named("id", identity), "response": response}


def fields_of(value: object) -> Fields:
    """A JSON object; an empty one for anything else."""
    return cast("Fields", value) if isinstance(value, dict) else {}


def items_of(value: object) -> list[object]:
    """A JSON array; an empty one for anything else."""
    return cast("list[object]", value) if isinstance(value, list) else []


def value_of(text: object) -> object:
    """The value in a JSON text; a text that is none, because it was cut or never was, stands for itself."""
    if not isinstance(text, str):
        return text
    try:
        return orjson.loads(str(text))  # orjson refuses subclasses of str
    except orjson.JSONDecodeError:
        return text


def _text_part(kind: str, content: object) -> Fields:
    """Text or reasoning, whose content is a text: a backend drops every message of a call if it is not."""
    if content is None:
        return {"type": kind, "content": ""}
    return {"type": kind, "content": content if isinstance(content, str) else orjson.dumps(content).decode()}


def _call_part(identity: object, name: object, arguments: object) -> Fields:
    return {
        "type": "tool_call",
        **_named("id", identity),
        "name": name if isinstance(name, str) else "",
        "arguments": arguments,
    }


def _named(key: str, value: object) -> Fields:
    """Nothing where nothing is known: the conventions want a text, or no such member."""
    return {key: value} if isinstance(value, str) and value else {}


def _text(block: Fields) -> Fields:
    """A library's; or a part as the conventions have it already."""
    return _text_part("text", block.get("text", block.get("content")))


def _refusal(block: Fields) -> Fields:
    return _text_part("text", block.get("refusal"))


def _thinking(block: Fields) -> Fields:
    """A text; Mistral's is in pieces."""
    said = block.get("thinking")
    pieces = items_of(said)
    return _text_part("reasoning", "".join(_texts_in(pieces)) if pieces else said)


def _reasoning(block: Fields) -> Fields:
    """The Responses API's, in pieces; or a part as the conventions have it already."""
    said = block.get("content")
    if isinstance(said, str):
        return _text_part("reasoning", said)
    return _text_part("reasoning", "\n".join(_texts_in([*items_of(block.get("summary")), *items_of(said)])))


def _texts_in(pieces: list[object]) -> list[str]:
    texts = (fields_of(each).get("text") for each in pieces)
    return [each for each in texts if isinstance(each, str)]


def _function_result(block: Fields) -> Fields:
    return response_part(block.get("call_id") or block.get("id"), block.get("output"))  # a local shell has the second


def _tool_use(block: Fields) -> Fields:
    return _call_part(block.get("id"), block.get("name"), block.get("input"))


def _tool_result(block: Fields) -> Fields:
    return response_part(block.get("tool_use_id"), block.get("content"))


def _hosted_use(block: Fields) -> Fields:
    """Anthropic's: the provider runs the tool."""
    name = block.get("name")
    named = name if isinstance(name, str) else "tool"
    detail = {"type": named, **{key: value for key, value in block.items() if key not in ("type", "id", "name")}}
    return {"type": "server_tool_call", **_named("id", block.get("id")), "name": named, "server_tool_call": detail}


def _hosted_call(block: Fields) -> Fields:
    """The Responses API's, which holds call and result."""
    kind = str(block.get("type"))
    detail = {key: value for key, value in block.items() if key != "id"}
    name = kind.removesuffix("_call")
    return {"type": "server_tool_call", **_named("id", block.get("id")), "name": name, "server_tool_call": detail}


def _hosted_result(block: Fields) -> Fields:
    identity = _named("id", block.get("tool_use_id"))
    detail = {key: value for key, value in block.items() if key != "tool_use_id"}
    return {"type": "server_tool_call_response", **identity, "server_tool_call_response": detail}


def _media(block: Fields) -> Fields:
    """A link to a file, or a file that the provider has; of a file itself there is only a note, which stays."""
    kind = str(block.get("type"))
    places = [block, *(fields_of(block.get(name)) for name in (kind, "file", "source"))]
    named = [place.get(name) for place in places for name in LINKS]
    link = next((each for each in named if isinstance(each, str) and each.startswith(SCHEMES)), None)
    if link is not None:
        return {"type": "uri", "modality": MODALITIES[kind], "uri": link}
    files = (place.get("file_id") for place in places)
    file = next((each for each in files if isinstance(each, str) and each), None)
    return generic_part(block) if file is None else {"type": "file", "modality": MODALITIES[kind], "file_id": file}


MODALITIES: Final[Mapping[str, str]] = {
    "document": "document",
    "file": "document",
    "image": "image",
    "image_url": "image",
    "input_file": "document",
    "input_image": "image",
    "video_url": "video",
}
"""Blocks that stand for a file → what is in it, for all that is known."""

LINKS: Final = ("image_url", "file_url", "video_url", "url")
"""Where a link to it is."""

SCHEMES: Final = ("http://", "https://", "gs://", "s3://")

ACTIONS: Final = ("apply_patch_call", "computer_call", "local_shell_call", "shell_call")
"""Items of the Responses API that ask for something to be done, mostly by the application."""

GIVEN: Final = ("input", "action", "actions", "operation")
"""What such items, and custom tools, are called with; newer models have a computer do several things at once."""

ASKING: Final = ("function_call", "custom_tool_call", *ACTIONS)
ANSWERING: Final = tuple(f"{kind}_output" for kind in ASKING)
"""Items of the Responses API in which a model calls a tool, and in which the application says what came of it."""

HOSTED_CALLS: Final = (
    "code_interpreter_call",
    "file_search_call",
    "image_generation_call",
    "mcp_call",
    "web_search_call",
)
"""Items of the Responses API for tools that the provider runs."""

READERS: Final[Mapping[str, Callable[[Fields], Fields]]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "refusal": _refusal,
    "thinking": _thinking,
    "reasoning": _reasoning,
    "function": function_call_part,
    **dict.fromkeys(ASKING, function_call_part),
    **dict.fromkeys(ANSWERING, _function_result),
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    **dict.fromkeys(("server_tool_use", "mcp_tool_use"), _hosted_use),
    **dict.fromkeys(HOSTED_CALLS, _hosted_call),
    **dict.fromkeys(
        (
            *("bash_code_execution_tool_result", "code_execution_tool_result", "mcp_tool_result"),
            *("text_editor_code_execution_tool_result", "web_fetch_tool_result", "web_search_tool_result"),
        ),
        _hosted_result,
    ),
    **dict.fromkeys(MODALITIES, _media),
}
"""The type of a block of content → what it is in the conventions."""
