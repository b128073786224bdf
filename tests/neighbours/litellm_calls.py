"""What the application does with LiteLLM; the openai client is below it."""

from collections.abc import Mapping
from typing import Any, Final

import litellm

from ..integrations.colours import Colour
from ..integrations.scenarios import Scenario
from .openai_calls import one_after_the_other, refused

MESSAGES: Final = [{"role": "user", "content": "Hello?"}]


def asked(colour: Colour, **options: Any) -> Any:
    given = {"api_base": colour.provider.base_url, "api_key": "sk-test", "num_retries": 0, **options}
    if colour.name == "sync":
        return litellm.completion(model="openai/gpt-4o", messages=MESSAGES, **given)
    return colour.wait(litellm.acompletion(model="openai/gpt-4o", messages=MESSAGES, **given))


def completed(colour: Colour, client: Any) -> Any:
    answer = asked(colour)
    return [type(answer).__name__, answer.choices[0].message.content, answer.usage.total_tokens]


def streamed(colour: Colour, client: Any) -> Any:
    pieces = asked(colour, stream=True, stream_options={"include_usage": True})
    return [type(pieces).__name__, [each.choices[0].delta.content for each in colour.items(pieces) if each.choices]]


def embedded(colour: Colour, client: Any) -> Any:
    given = {"api_base": colour.provider.base_url, "api_key": "sk-test", "input": ["Hello?"]}
    if colour.name == "sync":
        return litellm.embedding(model="openai/text-embedding-3-small", **given).usage.total_tokens
    return colour.wait(litellm.aembedding(model="openai/text-embedding-3-small", **given)).usage.total_tokens


CALLS: Final[Mapping[str, Scenario]] = {
    "completion": Scenario(call=completed),
    "stream": Scenario(call=streamed),
    "400": Scenario(call=completed, answers=one_after_the_other(refused(400))),
    "embedding": Scenario(call=embedded),
}
