"""What a gateway says in the headers of an answer that it cost."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ramp_tracing._loopback import json_answer
from ramp_tracing._record import Cost
from ramp_tracing.testing import capture_generations

from .colours import Colour
from .provider import CHUNKS, USAGE, Provider, completion, stream

HELLO: Mapping[str, Any] = {"model": "house-1", "messages": [{"role": "user", "content": "Hello?"}]}
HEADERS: Mapping[str, str] = {"X-LiteLLM-Response-Cost": "0.0000123456789"}


def answered(body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
    """An answer with these headers."""
    answer = json_answer(body)
    return replace(answer, headers={**answer.headers, **headers})


@pytest.mark.parametrize("raw", [False, True])
def test_of_a_whole_answer(colour: Colour, raw: bool) -> None:
    """The amount in the header is the cost, digit by digit, where the answer itself says none."""
    with Provider(answered(completion(), HEADERS)) as provider, capture_generations() as generations:
        completions = colour.client(provider.base_url).chat.completions
        colour.wait((completions.with_raw_response if raw else completions).create(**HELLO))
        [generation] = generations
    assert Cost(total=Decimal("0.0000123456789"), source="gateway") == generation.cost


def test_the_answer_goes_first(colour: Colour) -> None:
    """What stands in the answer is nearer to who charges."""
    body = completion(usage={**USAGE, "cost": 0.25})
    with Provider(answered(body, HEADERS)) as provider, capture_generations() as generations:
        colour.wait(colour.client(provider.base_url).chat.completions.create(**HELLO))
        [generation] = generations
    assert Cost(total=Decimal("0.25"), source="provider") == generation.cost


def test_not_of_a_stream(colour: Colour) -> None:
    """The headers of a stream are sent before anybody knows."""
    answer = stream(CHUNKS)
    answer = replace(answer, headers={**answer.headers, **HEADERS})
    with Provider(answer) as provider, capture_generations() as generations:
        colour.items(colour.wait(colour.client(provider.base_url).chat.completions.create(**HELLO, stream=True)))
        [generation] = generations
    assert generation.cost is None


def test_zero_is_unknown(colour: Colour) -> None:
    """A 0 is LiteLLM's word for a price that it does not know."""
    headers = {"x-litellm-response-cost": "0.0"}
    with Provider(answered(completion(), headers)) as provider, capture_generations() as generations:
        colour.wait(colour.client(provider.base_url).chat.completions.create(**HELLO))
        [generation] = generations
    assert generation.cost is None
