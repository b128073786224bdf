"""The parameters of a request that a record keeps."""

from collections.abc import Mapping
from typing import Final

from ._reading import as_fields, as_name

PARAMETERS: Final = frozenset((
    "temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "max_output_tokens",
    "frequency_penalty", "presence_penalty", "seed", "dimensions", "n", "background_options",
))  # fmt: skip
"""Request parameters that are numbers and that the GenAI conventions have a name for; and one that decides a price."""

OPTIONS: Final = "background_options"
WINDOW: Final = "completion_window_hours"
WINDOWS: Final[Mapping[str | None, int]] = {"2h": 2, "8h": 8}
"""
How long a background response may wait, at a discount: https://platform.openai.com/docs/api-reference/responses/create.
Nothing in the answer says so.
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
            elif name == OPTIONS and (hours := WINDOWS.get(as_name(as_fields(given).get("completion_window")))):
                numbers[WINDOW] = hours
    return numbers
