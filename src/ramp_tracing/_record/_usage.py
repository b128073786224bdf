"""What a call used, as far as the provider said so."""

from collections.abc import Mapping
from dataclasses import field, fields
from decimal import Decimal
from types import MappingProxyType

from .._dataclass import dataclass

NO_TOOL_CALLS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """
    Counts reported for one call. `None` is unknown, 0 is a measurement.

    The totals are inclusive: ``input_tokens`` contains cache reads and writes, ``output_tokens`` contains reasoning.
    A provider that counts exclusively (Anthropic, Bedrock) is converted by its normalizer.

    Attributes:
        input_tokens: Tokens of the prompt.
        output_tokens: Tokens of the answer.
        total_tokens: The provider's own total; never computed here.
        cache_read_tokens: Part of the input that was read from a prompt cache.
        cache_write_tokens: Part of the input that was written to a prompt cache.
        cache_write_5m_tokens: Part of that which the cache keeps for five minutes.
        cache_write_1h_tokens: Part of that which the cache keeps for an hour.
        cache_write_12h_tokens: Part of that which the cache keeps for twelve hours.
        reasoning_tokens: Part of the output that the model thought and did not say.
        input_audio_tokens: Part of the input that was audio.
        output_audio_tokens: Part of the output that was audio.
        input_image_tokens: Part of the input that was images.
        output_image_tokens: Part of the output that was images.
        input_video_tokens: Part of the input that was video.
        cached_audio_tokens: Part of the cache reads that was audio.
        cached_image_tokens: Part of the cache reads that was images.
        accepted_prediction_tokens: Part of the output that the request had predicted rightly.
        rejected_prediction_tokens: Part of the output that the request had predicted wrongly; billed all the same.
        input_characters: Characters of a text to be spoken.
        audio_seconds: Length of a transcribed recording, in seconds.
        video_seconds: Length of a video that was made, in seconds.
        images: Number of images made.
        hosted_tool_calls: Calls of tools that the provider runs and bills one by one (``web_search_call``…), by kind.
        estimated: True when someone reckoned these counts, who is not the provider.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    cache_write_12h_tokens: int | None = None
    reasoning_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    output_image_tokens: int | None = None
    input_video_tokens: int | None = None
    cached_audio_tokens: int | None = None
    cached_image_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None
    input_characters: int | None = None
    audio_seconds: Decimal | None = None
    video_seconds: Decimal | None = None
    images: int | None = None
    hosted_tool_calls: Mapping[str, int] = field(default_factory=lambda: NO_TOOL_CALLS)
    estimated: bool = False

    @property
    def known(self) -> bool:
        """Whether the provider reported any count at all."""
        return self.input_tokens is not None or any(getattr(self, name) is not None for name in COUNTS)


COUNTS = tuple(
    each.name for each in fields(Usage) if each.name not in ("hosted_tool_calls", "estimated", "input_characters")
)
"""The fields that come from the provider; characters are counted by us in the request."""
