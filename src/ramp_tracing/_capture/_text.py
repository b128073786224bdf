"""Text that JSON and UTF-8 can carry, and short words for what is not text."""

from typing import Any, Final

MAX_NAME_CHARACTERS: Final = 200
"""For keys and for names of classes: longer ones are made by programs, and no one groups by them."""

MAX_INTEGER_BITS: Final = 1024
"""Some 300 digits. Beyond a limit of its own (4,300 digits) Python refuses to write an integer down."""

_name_of_class: Any = vars(type)["__name__"].__get__
"""``cls.__name__`` as `type` knows it: a metaclass can put code of its own in its place."""


def clean_text(text: str) -> str:
    """*text* with the character U+FFFD for each lone half of a surrogate pair; two halves that belong together join."""
    text = str.__str__(text)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def class_note(value: object) -> str:
    """What stands for a value that nobody here knows: the name of its class, ``[Decimal128]``."""
    return f"[{_name_of_class(type(value))[:MAX_NAME_CHARACTERS]}]"


def size_note(kind: str, size_bytes: int) -> str:
    """What stands for a picture, a sound or a file: ``[image/png, 12345 bytes]``."""
    return f"[{kind}, {size_bytes} bytes]"


def shortened(text: str, max_characters: int) -> str:
    """The beginning of *text*, and how much is missing; *text* itself where that would not make it shorter."""
    note = f"[+{len(text) - max_characters} characters]"
    return text[:max_characters] + note if max_characters + len(note) < len(text) else text


def integer_text(number: int) -> str:
    """The digits of *number*; of an absurdly large one how large it is."""
    bits = number.bit_length()
    return str(number) if bits <= MAX_INTEGER_BITS else f"[integer, {bits} bits]"
