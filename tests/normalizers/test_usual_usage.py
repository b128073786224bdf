"""The quick look at a usage and the full reading of it: two ways to one answer."""

from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from ramp_tracing._normalizers import _openai_usage
from ramp_tracing._normalizers._openai_usage import USUAL, read_usage
from ramp_tracing._record import Usage

COUNT = st.one_of(
    st.none(), st.integers(0, 5_000), st.sampled_from([-1, 2**63, True, 12.0, 1.5, float("nan"), "7", []])
)
"""Mostly what a count is, and what some server has sent in its place."""

USUALLY = st.one_of(st.none(), st.integers(0, 5_000))

DETAILS = (
    "cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "text_tokens", "reasoning_tokens",
    "accepted_prediction_tokens", "rejected_prediction_tokens",
)  # fmt: skip
TOTALS = (
    "prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens",
    "prompt_cache_hit_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "num_cached_tokens", "cost",
)  # fmt: skip
HOLDERS = ("prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details")


def usages(count: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Usage objects as servers send them: totals, some of them with parts."""
    details = st.one_of(st.none(), st.dictionaries(st.sampled_from(DETAILS), count, max_size=4))
    totals = st.dictionaries(st.sampled_from(TOTALS), count, max_size=5)
    holders = st.dictionaries(st.sampled_from(HOLDERS), details, max_size=2)
    return st.builds(lambda some, more: {**some, **more}, totals, holders)


def in_full(usage: object) -> Usage:
    """Read without the quick look."""
    with patch.object(_openai_usage.USUAL, "read", lambda *_: None):
        return read_usage(usage)


@given(st.one_of(usages(USUALLY), usages(COUNT)))
def test_whatever_a_server_sends_both_say_the_same(usage: dict[str, Any]) -> None:
    """The quick look answers nothing that the full reading would answer otherwise."""
    assert read_usage(usage) == in_full(usage)


@given(
    st.fixed_dictionaries({
        "prompt_tokens": st.integers(0, 5_000),
        "completion_tokens": st.integers(0, 5_000),
        "total_tokens": st.integers(0, 10_000),
        "prompt_tokens_details": st.fixed_dictionaries({"cached_tokens": USUALLY, "audio_tokens": USUALLY}),
    })
)  # fmt: skip
def test_what_openai_documents_takes_the_quick_look(usage: dict[str, Any]) -> None:
    """Or the comparison above would compare the full reading with itself."""
    assert USUAL.read(usage, {}, None) is not None
