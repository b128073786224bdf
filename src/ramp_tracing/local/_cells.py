"""Cells of CSV."""

from typing import Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""With what a spreadsheet takes a text for a formula, and runs it."""


def cell(value: object) -> object:
    """
    *value* as it goes into CSV.

    A text that a spreadsheet would run gets an apostrophe in front, which makes it a text there
    (https://owasp.org/www-community/attacks/CSV_Injection). Numbers stay numbers.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
