"""What was asked and answered, read from what LiteLLM has redacted where it was told to, and from nothing else."""

from typing import Final

from ._chat import CHAT
from ._litellm_names import POLLS, Told
from ._reading import dig
from ._responses import RESPONSES

REDACTED: Final = "redacted-by-litellm"


def asked_in(told: Told) -> object:
    """What was asked, under the key that it is sent with; `None` where LiteLLM keeps it to itself."""
    messages, form = told.payload.get("messages"), told.kind.format
    if messages is None or told.name in POLLS or is_redacted(messages):
        return None
    is_conversation = form is CHAT or form is RESPONSES
    if is_conversation and isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    return {"messages" if is_conversation else "input": messages}


def is_redacted(content: object) -> bool:
    """Whether LiteLLM has replaced *content*, the messages or the answer of a payload, by its marker."""
    first = content[0] if isinstance(content, list) and content else content  # pyright: ignore[reportUnknownVariableType]
    if isinstance(first, str):
        return first == REDACTED
    return dig(first, MESSAGE) == REDACTED or dig(first, ANSWER) == REDACTED


MESSAGE, ANSWER = "content", "text"
"""Where the marker is: in place of a message's text, of an answer's text; or of the whole."""
