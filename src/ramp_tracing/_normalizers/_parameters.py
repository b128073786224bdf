"""The parameters of a request that a record keeps."""

from collections.abc import Mapping
from typing import Final

from ._reading import as_fields, as_name

PARAMETERS: Final = frozenset((
    "temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "max_output_tokens",
    "frequency_penalty", "presence_penalty", "seed", "dimensions", "n", "background_options", "billing_policy",
))  # fmt: skip
"""Request parameters that are numbers and that the GenAI conventions have a name for; and those of `DECIDING`."""

DECIDING: Final[Mapping[str, tuple[str, Mapping[object, Mapping[str, float]]]]] = {
    "background_options": (
        "completion_window",
        {"2h": {"completion_window_hours": 2}, "8h": {"completion_window_hours": 8}},
    ),
    "billing_policy": ("bill_to", {"user_profile": {"billed_to_customer": 1}}),
}
"""
What decides who pays, or how much, and what no answer says: request parameter → the member that does, and what a record
keeps of its values. OpenAI's background responses may wait for hours, at a discount
(https://platform.openai.com/docs/api-reference/responses/create); at Anthropic a customer may pay
(https://platform.claude.com/docs/en/api/messages).
"""


def numbers_in(request: Mapping[str, object]) -> Mapping[str, float]:
    """
    The `PARAMETERS` of a request, as far as they are numbers.

    It may be the application's own dictionary, in which another thread puts something meanwhile: its names are taken in
    one go.
    """
    numbers: dict[str, float] = {}
    for name in tuple(request):  # of the set's own `intersection` the loop is the smaller half
        if name in PARAMETERS:
            given = request.get(name)
            if isinstance(given, (int, float)) and given is not True and given is not False:
                numbers[name] = given
            elif name in DECIDING:
                member, kept = DECIDING[name]
                numbers.update(kept.get(as_name(as_fields(given).get(member)), {}))
    return numbers
