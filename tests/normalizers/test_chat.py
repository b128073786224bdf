"""Chat completions, whole and streamed, as OpenAI and those who are compatible with it send them."""

from decimal import Decimal
from typing import Any, Final

from ramp_tracing._normalizers import CHAT
from ramp_tracing._record import Cost, Failure, Outcome, Usage

from .cases import Case, Types, each, events_in, from_client, from_json, plain, seen_by_client

TYPES: Final = Types(whole="openai.types.chat:ChatCompletion", event="openai.types.chat:ChatCompletionChunk")

SAID: Final = {"completion": "The capital of Norway is Oslo.", "reasoning": None}
OSLO: Final = {"completion": "Oslo.", "reasoning": None}
WEATHER: Final = [
    {"id": "call_W1aB2cD3", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}},
    {"id": "call_E4fG5hI6", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bergen"}'}},
]
STREAMED_WEATHER: Final = [{**call, "index": index} for index, call in enumerate(WEATHER)]


def provider(amount: str, **parts: Decimal) -> Cost:
    """A cost that the provider's own answer names."""
    return Cost(total=Decimal(amount), source="provider", **parts)


WHOLE: Final = (
    Case(
        payload="chat/openai.json",
        shows="cached and reasoning tokens are parts of what they are in",
        outcome=Outcome(
            response_id="chatcmpl-Dk3rPq8Zt0aWm5LxYv2Nc",
            response_model="gpt-5-2025-08-07",
            finish_reasons=("stop",),
            service_tier="default",
            usage=Usage(
                input_tokens=1310,
                output_tokens=212,
                total_tokens=1522,
                cache_read_tokens=1280,
                reasoning_tokens=192,
                input_audio_tokens=0,
                output_audio_tokens=0,
                accepted_prediction_tokens=0,
                rejected_prediction_tokens=0,
            ),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/openai-cache-writes.json",
        shows="OpenAI reports cache writes too",
        outcome=Outcome(
            response_id="chatcmpl-Dk3rPq8Zt0aWm5LxYv2Nd",
            response_model="gpt-5.6-2026-06-18",
            finish_reasons=("stop",),
            usage=Usage(
                input_tokens=1220,
                output_tokens=9,
                total_tokens=1229,
                cache_read_tokens=0,
                cache_write_tokens=1217,
                reasoning_tokens=0,
                input_audio_tokens=0,
                output_audio_tokens=0,
            ),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/openai-several-choices.json",
        shows="every choice has its finish reason and its content",
        choices=3,
        outcome=Outcome(
            response_id="chatcmpl-Dk3rPq8Zt0aWm5LxYv2Ne",
            response_model="gpt-4o-mini-2024-07-18",
            finish_reasons=("stop", "length", "content_filter"),
            usage=Usage(input_tokens=14, output_tokens=90, total_tokens=104),
            output={
                **OSLO,
                "choices": [
                    {"completion": "It is Oslo, which lies on", "reasoning": None},
                    {"completion": None, "reasoning": None},
                ],
            },
        ),
    ),
    Case(
        payload="chat/openai-tool-calls.json",
        shows="parallel tool calls are the answer",
        outcome=Outcome(
            response_id="chatcmpl-Dk3rPq8Zt0aWm5LxYv2Nf",
            response_model="gpt-4o-2024-08-06",
            finish_reasons=("tool_calls",),
            usage=Usage(input_tokens=81, output_tokens=44, total_tokens=125),
            output={"completion": None, "reasoning": None, "toolCalls": WEATHER},
        ),
    ),
    Case(
        payload="chat/openai-function-call.json",
        shows="what came before tool calls",
        outcome=Outcome(
            response_id="chatcmpl-8Zt0aWm5LxYv2NcDk3rPq",
            response_model="gpt-4-0613",
            finish_reasons=("function_call",),
            usage=Usage(input_tokens=82, output_tokens=16, total_tokens=98),
            output={
                "completion": None,
                "reasoning": None,
                "toolCalls": {"name": "weather", "arguments": '{"city": "Oslo"}'},
            },
        ),
    ),
    Case(
        payload="chat/openai-refusal.json",
        shows="a refusal is what was answered",
        outcome=Outcome(
            response_id="chatcmpl-Dk3rPq8Zt0aWm5LxYv2Ng",
            response_model="gpt-4o-2024-08-06",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=65, output_tokens=13, total_tokens=78),
            output={"completion": "I can't help with that.", "reasoning": None},
        ),
    ),
    Case(
        payload="chat/openai-audio.json",
        shows="audio is counted apart on both sides",
        outcome=Outcome(
            response_id="chatcmpl-Dk3rPq8Zt0aWm5LxYv2Nh",
            response_model="gpt-4o-audio-preview-2025-06-03",
            finish_reasons=("stop",),
            usage=Usage(
                input_tokens=117,
                output_tokens=55,
                total_tokens=172,
                cache_read_tokens=0,
                reasoning_tokens=0,
                input_audio_tokens=96,
                output_audio_tokens=42,
                input_image_tokens=0,
            ),
            output={
                "completion": None,
                "reasoning": None,
                "audio": {
                    "id": "audio_68a1",
                    "data": "UklGRiQAAABXQVZF",
                    "expires_at": 1767315600,
                    "transcript": "Oslo.",
                },
            },
        ),
    ),
    Case(
        payload="chat/no-usage.json",
        shows="no usage means that nothing is known of it",
        outcome=Outcome(
            response_id="chat-0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            response_model="facebook/opt-125m",
            finish_reasons=("length",),
            output={"completion": "Oslo", "reasoning": None},
        ),
    ),
    Case(
        payload="chat/openrouter.json",
        shows="OpenRouter says who served it, the reason in their words, and the price",
        outcome=Outcome(
            response_id="gen-1767312000-Zr8kQ1vWn4XyB7mTc2Ld",
            response_model="anthropic/claude-4.5-haiku-20251001",
            finish_reasons=("stop",),
            native_finish_reason="end_turn",
            upstream_provider="Amazon Bedrock",
            usage=Usage(
                input_tokens=5200,
                output_tokens=31,
                total_tokens=5231,
                cache_read_tokens=1100,
                cache_write_tokens=4012,
                reasoning_tokens=12,
                input_audio_tokens=0,
                output_image_tokens=0,
                input_video_tokens=0,
            ),
            cost=provider("0.00655"),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/openrouter-shares.json",
        shows="shares that add up to the price are kept",
        outcome=Outcome(
            response_id="gen-1767312001-Ye5jR2uVm3WxA6nSd1Kc",
            response_model="openai/gpt-4o-mini",
            finish_reasons=("stop",),
            native_finish_reason="stop",
            upstream_provider="OpenAI",
            usage=Usage(input_tokens=1300, output_tokens=900, total_tokens=2200),
            cost=provider("0.000735", input=Decimal("0.000195"), output=Decimal("0.00054")),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/openrouter-web-search.json",
        shows="the price has a fee in it that is neither input nor output",
        outcome=Outcome(
            response_id="gen-1767312002-Xd4iS3tUl2VwZ5oRe0Jb",
            response_model="openai/gpt-4o-mini",
            finish_reasons=("stop",),
            native_finish_reason="stop",
            upstream_provider="OpenAI",
            usage=Usage(
                input_tokens=1713, output_tokens=634, total_tokens=2347, hosted_tool_calls={"web_search_call": 1}
            ),
            cost=provider("0.007637"),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/openrouter-own-key.json",
        shows="with the user's own key the provider charges, not OpenRouter",
        outcome=Outcome(
            response_id="gen-1767312003-Wc3hT4sTk1UvY4pQf9Ia",
            response_model="openai/gpt-4o-mini",
            finish_reasons=("stop",),
            native_finish_reason="stop",
            upstream_provider="OpenAI",
            usage=Usage(input_tokens=20, output_tokens=1, total_tokens=21),
            cost=provider("0.0000036"),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/openrouter-own-key-fee.json",
        shows="OpenRouter's fee comes on top of what the provider charges",
        outcome=Outcome(
            response_id="gen-1767312004-Vb2gU5rSj0TuX3qPg8Hz",
            response_model="openai/gpt-4o-mini",
            finish_reasons=("stop",),
            native_finish_reason="stop",
            upstream_provider="OpenAI",
            usage=Usage(input_tokens=2000, output_tokens=100, total_tokens=2100),
            cost=provider("0.000378"),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/openrouter-own-key-unknown.json",
        shows="a fee alone is not the price",
        outcome=Outcome(
            response_id="gen-1767312005-Ua1fV6qRi9StW2rOh7Gy",
            response_model="openai/gpt-4o-mini",
            finish_reasons=("stop",),
            native_finish_reason="stop",
            upstream_provider="OpenAI",
            usage=Usage(input_tokens=20, output_tokens=1, total_tokens=21),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/openrouter-free.json",
        shows="a model that is free costs 0, which is not unknown",
        outcome=Outcome(
            response_id="gen-1767312006-Tz0eW7pQh8RsV1sNi6Fx",
            response_model="meta-llama/llama-3.3-70b-instruct:free",
            finish_reasons=("stop",),
            native_finish_reason="stop",
            upstream_provider="OpenAI",
            usage=Usage(input_tokens=20, output_tokens=1, total_tokens=21),
            cost=provider("0"),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/perplexity.json",
        shows="the cost is an object",
        outcome=Outcome(
            response_id="6f1d0c52-8b7e-4a3d-9c21-5e4f3a2b1c0d",
            response_model="sonar",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=9, output_tokens=12, total_tokens=21),
            cost=provider("0.005021"),
            output={"completion": "Oslo [1].", "reasoning": None},
        ),
    ),
    Case(
        payload="chat/xai.json",
        shows="reasoning is on top of the output, and the cost is in ticks",
        outcome=Outcome(
            response_id="9b1c7a54-0d3e-4f6b-8a92-7c5d4e3f2a1b",
            response_model="grok-4-1-fast-reasoning",
            finish_reasons=("stop",),
            usage=Usage(
                input_tokens=171,
                output_tokens=103,
                total_tokens=274,
                cache_read_tokens=151,
                reasoning_tokens=94,
                input_audio_tokens=0,
                output_audio_tokens=0,
                input_image_tokens=0,
                accepted_prediction_tokens=0,
                rejected_prediction_tokens=0,
            ),
            cost=provider("0.00013265"),
            output={"completion": "Oslo.", "reasoning": "A question of geography."},
        ),
    ),
    Case(
        payload="chat/pydantic-gateway.json",
        shows="what a gateway reckons is not what the provider charges",
        outcome=Outcome(
            response_id="chatcmpl-Dk3rPq8Zt0aWm5LxYv2Ni",
            response_model="gpt-5-2025-08-07",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=57, output_tokens=424, total_tokens=481),
            cost=Cost(total=Decimal("0.00431125"), source="gateway"),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/deepseek.json",
        shows="the cache is counted twice over, in the details and beside them",
        outcome=Outcome(
            response_id="5d0e9f3a-61b2-4c7d-8e4f-a1b2c3d4e5f6",
            response_model="deepseek-reasoner",
            finish_reasons=("stop",),
            usage=Usage(
                input_tokens=288,
                output_tokens=140,
                total_tokens=428,
                cache_read_tokens=256,
                reasoning_tokens=120,
            ),
            output={"completion": "Oslo.", "reasoning": "They ask for a capital."},
        ),
    ),
    Case(
        payload="chat/deepseek-older.json",
        shows="DeepSeek's own name for cache reads",
        outcome=Outcome(
            response_id="5d0e9f3a-61b2-4c7d-8e4f-a1b2c3d4e5f7",
            response_model="deepseek-chat",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=288, output_tokens=20, total_tokens=308, cache_read_tokens=256),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/databricks.json",
        shows="Anthropic's names beside a prompt that includes them",
        outcome=Outcome(
            response_id="msg_bdrk_01QwErTyUiOpAsDfGhJkLzXc",
            response_model="us.anthropic.claude-sonnet-4-20250514-v1:0",
            finish_reasons=("stop",),
            usage=Usage(
                input_tokens=1850,
                output_tokens=12,
                total_tokens=1862,
                cache_read_tokens=1733,
                cache_write_tokens=100,
            ),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/databricks-apart.json",
        shows="cache reads that are more than the prompt cannot be in it",
        outcome=Outcome(
            response_id="msg_bdrk_01QwErTyUiOpAsDfGhJkLzXv",
            response_model="us.anthropic.claude-sonnet-4-20250514-v1:0",
            finish_reasons=("stop",),
            usage=Usage(
                input_tokens=1750,
                output_tokens=12,
                total_tokens=29,
                cache_read_tokens=1733,
                cache_write_tokens=0,
            ),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/together.json",
        shows="cached tokens beside the totals, and a finish reason of its own",
        outcome=Outcome(
            response_id="oKb4Vc7-2kFHot-9a8b7c6d5e4f3a2b",
            response_model="meta-llama/Llama-3.3-70B-Instruct-Turbo",
            finish_reasons=("eos",),
            usage=Usage(input_tokens=64, output_tokens=5, total_tokens=69, cache_read_tokens=48),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/writer.json",
        shows="the details are called a little otherwise",
        outcome=Outcome(
            response_id="1f6a1c0e-3f0b-4a55-9d7e-2b8c4d6e8f01",
            response_model="palmyra-x5",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=210, output_tokens=8, total_tokens=218, cache_read_tokens=64, reasoning_tokens=2),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/mistral.json",
        shows="the length of a recording beside the tokens",
        outcome=Outcome(
            response_id="b3c4d5e6f708192a3b4c5d6e7f809102",
            response_model="voxtral-small-2507",
            finish_reasons=("stop",),
            usage=Usage(
                input_tokens=375,
                output_tokens=20,
                total_tokens=395,
                cache_read_tokens=32,
                audio_seconds=Decimal(30),
            ),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/cloudflare.json",
        shows="the content is an object, and there is no usage",
        outcome=Outcome(
            response_id="id-1767312000123",
            response_model="@cf/meta/llama-3.3-70b-instruct-fp8-fast",
            finish_reasons=("stop",),
            output={"completion": {"city": "Oslo", "country": "Norway"}, "reasoning": None},
        ),
    ),
    Case(
        payload="chat/ollama.json",
        shows="a prompt that was cached counts as 0, because the server says so",
        outcome=Outcome(
            response_id="chatcmpl-674",
            response_model="llama3",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=0, output_tokens=26, total_tokens=26),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/groq-compound.json",
        shows="Groq's own part of an answer has no usage in it here",
        outcome=Outcome(
            response_id="stub",
            response_model="groq/compound-mini",
            finish_reasons=("stop",),
            service_tier="on_demand",
            usage=Usage(input_tokens=420, output_tokens=60, total_tokens=480),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/vertex-integers.json",
        shows="a finish reason that is a number says nothing",
        outcome=Outcome(
            response_id="ZrQ3aKmNoPqRsTuVwXyZ",
            response_model="google/gemini-2.5-flash",
            usage=Usage(input_tokens=8, output_tokens=3, total_tokens=11),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/snowflake.json",
        shows="no finish reason at all",
        outcome=Outcome(
            response_id="c0ffee00-1234-4abc-8def-0123456789ab",
            response_model="claude-3-5-sonnet",
            usage=Usage(input_tokens=16, output_tokens=5, total_tokens=21),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/gemini.json",
        shows="the total is more than its parts, which are left as they are",
        outcome=Outcome(
            response_id="rT5yUiOpAsDfGhJkLzXcVbNm",
            response_model="gemini-2.5-flash",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=35, output_tokens=12, total_tokens=109),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/azure-filtered.json",
        shows="an answer that was filtered away is paid for",
        outcome=Outcome(
            response_id="chatcmpl-Dk3rPq8Zt0aWm5LxYv2Nj",
            response_model="gpt-4.1-mini-2025-04-14",
            finish_reasons=("content_filter",),
            usage=Usage(input_tokens=15, output_tokens=19, total_tokens=34),
            output={"completion": "", "reasoning": None},
        ),
    ),
)

ODD_COUNTS: Final = (
    Case(
        payload="chat/counts-as-text.json",
        shows="texts and whole floats are counts",
        outcome=Outcome(
            response_id="chatcmpl-Dk3rPq8Zt0aWm5LxYv2Nk",
            response_model="in-house-1",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=12, output_tokens=5, total_tokens=17),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/counts-null.json",
        shows="null is unknown, not 0",
        outcome=Outcome(
            response_id="chatcmpl-Dk3rPq8Zt0aWm5LxYv2Nl",
            response_model="in-house-1",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=12),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/counts-hostile.json",
        shows="what is no count is unknown",
        outcome=Outcome(
            response_id="chatcmpl-Dk3rPq8Zt0aWm5LxYv2Nm",
            response_model="in-house-1",
            finish_reasons=("stop",),
            output=SAID,
        ),
    ),
    Case(
        payload="chat/usage-is-a-list.json",
        shows="a usage that is none is unknown",
        outcome=Outcome(
            response_id="chatcmpl-Dk3rPq8Zt0aWm5LxYv2Nn",
            response_model="in-house-1",
            finish_reasons=("stop",),
            output=SAID,
        ),
    ),
)

ERRORS: Final = (
    Case(
        payload="chat/error.json",
        shows="OpenAI's shape",
        outcome=Outcome(
            failure=Failure(type="server_error", message="The server had an error.", code="overloaded"),
        ),
    ),
    Case(
        payload="chat/error-azure-prompt.json",
        shows="a filtered prompt, without a type",
        outcome=Outcome(
            failure=Failure(type="error", message="The response was filtered.", code="content_filter"),
        ),
    ),
    Case(
        payload="chat/error-numbered.json",
        shows="OpenRouter numbers its codes",
        outcome=Outcome(failure=Failure(type="error", message="Provider returned error", code="429")),
    ),
    Case(
        payload="chat/error-text.json",
        shows="xAI's error is a text with a code beside it",
        outcome=Outcome(
            failure=Failure(type="error", message="The model does not exist.", code="invalid-argument"),
        ),
    ),
    Case(
        payload="chat/error-detail.json",
        shows="Mistral's is a detail",
        outcome=Outcome(failure=Failure(type="error", message="Invalid API Key")),
    ),
    Case(
        payload="chat/error-message.json",
        shows="Bedrock's is a message",
        outcome=Outcome(
            failure=Failure(type="error", message="The provided model identifier is invalid."),
        ),
    ),
    Case(
        payload="chat/error-vllm.json",
        shows="vLLM's is the whole answer",
        outcome=Outcome(
            failure=Failure(type="NotFoundError", message="The model `x` does not exist.", code="404"),
        ),
    ),
    Case(
        payload="chat/error-in-choice.json",
        shows="OpenRouter's, after a part of the answer, with what it cost",
        outcome=Outcome(
            response_id="gen-1767312007-Sy9dX8oPg7QrU0tMj5Ew",
            response_model="openai/gpt-4o-mini",
            finish_reasons=("error",),
            upstream_provider="OpenAI",
            usage=Usage(input_tokens=20, output_tokens=4, total_tokens=24),
            failure=Failure(type="error", message="Provider disconnected", code="502"),
            output={"completion": "Os", "reasoning": None},
        ),
    ),
    Case(
        payload="chat/error-beside-choices.json",
        shows="an error beside a part of the answer",
        outcome=Outcome(
            response_id="gen-1767312008-Rx8cY7nOf6PqT9uLk4Dv",
            response_model="openai/gpt-4o-mini",
            finish_reasons=("error",),
            upstream_provider="OpenAI",
            usage=Usage(input_tokens=20, output_tokens=4, total_tokens=24),
            failure=Failure(type="error", message="Provider disconnected", code="502"),
            output={"completion": "Os", "reasoning": None},
        ),
    ),
)

STREAMS: Final = (
    Case(
        payload="chat/openai.sse",
        shows="the usage comes in a chunk of its own, after nulls",
        outcome=Outcome(
            response_id="chatcmpl-Em4sQr9Au1bXn6MyZw3Od",
            response_model="gpt-4o-mini-2024-07-18",
            finish_reasons=("stop",),
            service_tier="default",
            usage=Usage(
                input_tokens=1300,
                output_tokens=3,
                total_tokens=1303,
                cache_read_tokens=1280,
                reasoning_tokens=0,
                input_audio_tokens=0,
                output_audio_tokens=0,
            ),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/openai-no-usage.sse",
        shows="usage that nobody asked for is unknown",
        outcome=Outcome(
            response_id="chatcmpl-Em4sQr9Au1bXn6MyZw3Od",
            response_model="gpt-4o-mini-2024-07-18",
            finish_reasons=("stop",),
            service_tier="default",
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/cut.sse",
        shows="what came before the end is kept",
        outcome=Outcome(
            response_id="chatcmpl-Em4sQr9Au1bXn6MyZw3Od",
            response_model="gpt-4o-mini-2024-07-18",
            service_tier="default",
            output={"completion": "Os", "reasoning": None},
            complete=False,
        ),
    ),
    Case(
        payload="chat/openai-several-choices.sse",
        shows="choices come mixed and are told apart",
        choices=2,
        outcome=Outcome(
            response_id="chatcmpl-Em4sQr9Au1bXn6MyZw3Od",
            response_model="gpt-4o-mini-2024-07-18",
            finish_reasons=("stop", "length"),
            service_tier="default",
            usage=Usage(input_tokens=14, output_tokens=5, total_tokens=19),
            output={**OSLO, "choices": [{"completion": "Oslo", "reasoning": None}]},
        ),
    ),
    Case(
        payload="chat/openai-tool-calls.sse",
        shows="arguments come in pieces",
        outcome=Outcome(
            response_id="chatcmpl-Em4sQr9Au1bXn6MyZw3Od",
            response_model="gpt-4o-mini-2024-07-18",
            finish_reasons=("tool_calls",),
            service_tier="default",
            usage=Usage(input_tokens=75, output_tokens=51, total_tokens=126),
            output={"completion": None, "reasoning": None, "toolCalls": STREAMED_WEATHER},
        ),
    ),
    Case(
        payload="chat/openai-function-call.sse",
        shows="so do those of what came before tool calls",
        outcome=Outcome(
            response_id="chatcmpl-Em4sQr9Au1bXn6MyZw3Od",
            response_model="gpt-4o-mini-2024-07-18",
            finish_reasons=("function_call",),
            service_tier="default",
            output={
                "completion": None,
                "reasoning": None,
                "toolCalls": {"name": "weather", "arguments": '{"city": "Oslo"}'},
            },
        ),
    ),
    Case(
        payload="chat/openai-refusal.sse",
        shows="a refusal comes in pieces too",
        outcome=Outcome(
            response_id="chatcmpl-Em4sQr9Au1bXn6MyZw3Od",
            response_model="gpt-4o-mini-2024-07-18",
            finish_reasons=("stop",),
            service_tier="default",
            output={"completion": "I can't help with that.", "reasoning": None},
        ),
    ),
    Case(
        payload="chat/openai-audio.sse",
        shows="of sound the words and the size are kept",
        outcome=Outcome(
            response_id="chatcmpl-Em4sQr9Au1bXn6MyZw3Oe",
            response_model="gpt-4o-audio-preview-2025-06-03",
            finish_reasons=("stop",),
            usage=Usage(
                input_tokens=30,
                output_tokens=25,
                total_tokens=55,
                input_audio_tokens=18,
                output_audio_tokens=20,
            ),
            output={"completion": None, "reasoning": None, "audio": {"size_bytes": 21, "transcript": "Oslo."}},
        ),
    ),
    Case(
        payload="chat/groq.sse",
        shows="the usage is in Groq's own part of the last chunk alone",
        outcome=Outcome(
            response_id="chatcmpl-2f7d6c5b-4a39-4281-9706-f5e4d3c2b1a0",
            response_model="llama-3.3-70b-versatile",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=18, output_tokens=73, total_tokens=91, reasoning_tokens=23),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/databricks.sse",
        shows="of a running count the last is the usage",
        outcome=Outcome(
            response_id="msg_bdrk_01QwErTyUiOpAsDfGhJkLzXb",
            response_model="us.anthropic.claude-sonnet-4-20250514-v1:0",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=14, output_tokens=4, total_tokens=18, cache_read_tokens=0, cache_write_tokens=0),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/perplexity.sse",
        shows="of a running count the last has the price",
        outcome=Outcome(
            response_id="6f1d0c52-8b7e-4a3d-9c21-5e4f3a2b1c0e",
            response_model="sonar",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=9, output_tokens=4, total_tokens=13),
            cost=provider("0.005013"),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/azure.sse",
        shows="the first chunk has neither id nor model nor choices",
        outcome=Outcome(
            response_id="chatcmpl-Fn5tRs0Bv2cYo7NzAx4Pe",
            response_model="gpt-4.1-mini-2025-04-14",
            finish_reasons=("content_filter",),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/openrouter.sse",
        shows="comments, reasoning, and the price in the last chunk",
        outcome=Outcome(
            response_id="gen-1767312100-Qw7bZ6mNe5OpS8vKl3Cu",
            response_model="google/gemini-2.5-flash",
            finish_reasons=("stop",),
            native_finish_reason="STOP",
            upstream_provider="Google",
            usage=Usage(
                input_tokens=13,
                output_tokens=103,
                total_tokens=116,
                cache_read_tokens=0,
                reasoning_tokens=95,
                input_audio_tokens=0,
            ),
            cost=provider("0.0002614", input=Decimal("0.0000039"), output=Decimal("0.0002575")),
            output={"completion": "Oslo.", "reasoning": "A capital is asked for."},
        ),
    ),
    Case(
        payload="chat/mistral.sse",
        shows="the whole tool call, the end and the usage in one chunk",
        outcome=Outcome(
            response_id="8d641f96950f401892c98eff1e4335ce",
            response_model="mistral-small-latest",
            finish_reasons=("tool_calls",),
            usage=Usage(input_tokens=96, output_tokens=23, total_tokens=119),
            output={
                "completion": None,
                "reasoning": None,
                "toolCalls": [{**STREAMED_WEATHER[0], "id": "9Xk2LmQp7"}],
            },
        ),
    ),
    Case(
        payload="chat/vllm.sse",
        shows="no usage at all",
        outcome=Outcome(
            response_id="chat-22c24755532348e6b6ff75297b1a71b4",
            response_model="facebook/opt-125m",
            finish_reasons=("length",),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/gemini-parallel-calls.sse",
        shows="two calls with one index, and a text in the same chunk",
        outcome=Outcome(
            response_id="rT5yUiOpAsDfGhJkLzXcVbNx",
            response_model="gemini-2.5-flash",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=40, output_tokens=18, total_tokens=90),
            output={
                "completion": "Looking.",
                "reasoning": None,
                "toolCalls": [{**STREAMED_WEATHER[0], "id": "call_a1"}, {**STREAMED_WEATHER[1], "id": "call_b2"}],
            },
        ),
    ),
    Case(
        payload="chat/snowflake.sse",
        shows="the usage comes without a finish reason",
        outcome=Outcome(
            response_id="c0ffee00-1234-4abc-8def-0123456789ac",
            response_model="claude-3-5-sonnet",
            usage=Usage(input_tokens=16, output_tokens=5, total_tokens=21),
            output=OSLO,
            complete=False,
        ),
    ),
    Case(
        payload="chat/no-id.sse",
        shows="the model is known without an id",
        outcome=Outcome(
            response_model="in-house-1",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=3, output_tokens=2, total_tokens=5),
            output=OSLO,
        ),
    ),
    Case(
        payload="chat/error-after-chunks.sse",
        shows="Groq's error, as an event after a part of the answer",
        raises=True,
        outcome=Outcome(
            response_id="chatcmpl-2f7d6c5b-4a39-4281-9706-f5e4d3c2b1a0",
            response_model="llama-3.3-70b-versatile",
            failure=Failure(type="invalid_request_error", message="Failed to call a function.", code="tool_use_failed"),
            output={"completion": "Os", "reasoning": None},
            complete=False,
        ),
    ),
    Case(
        payload="chat/error-bare.sse",
        shows="vLLM's error, which the client takes for a chunk",
        outcome=Outcome(
            response_id="chat-22c24755532348e6b6ff75297b1a71b4",
            response_model="facebook/opt-125m",
            failure=Failure(type="InternalServerError", message="out of memory", code="500"),
            output={"completion": None, "reasoning": None},
            complete=False,
        ),
    ),
)

BROKEN_LAST_CHUNK: Final = Case(
    payload="chat/error-with-choices.sse",
    shows="OpenRouter's error, in a last chunk with choices",
    outcome=Outcome(
        response_id="gen-1767312100-Qw7bZ6mNe5OpS8vKl3Cu",
        response_model="google/gemini-2.5-flash",
        finish_reasons=("error",),
        upstream_provider="Google",
        failure=Failure(type="error", message="Provider disconnected", code="server_error"),
        output={"completion": "Os", "reasoning": None},
    ),
)
"""The client raises at that chunk and shows nothing of it, not even the finish reason."""

ALL: Final = WHOLE + ODD_COUNTS + ERRORS + STREAMS


@each((*ALL, BROKEN_LAST_CHUNK))
def test_json(case: Case) -> None:
    """The record says what the bytes say, and nothing else."""
    assert case.outcome == from_json(case, CHAT)


@each(ALL)
def test_client_objects(case: Case, client: Any) -> None:
    """What the openai client makes of the bytes says the same."""
    assert seen_by_client(case) == plain(from_client(case, CHAT, client, TYPES))


def test_privacy() -> None:
    """Without content nothing of a stream is kept but the size of a sound."""
    nothing = {"completion": None, "reasoning": None}
    assert {
        "openai-tool-calls": nothing,
        "openai-function-call": nothing,
        "openai-audio": {**nothing, "audio": {"size_bytes": 21, "transcript": None}},
        "openrouter": nothing,
    } == {name: _output_in_privacy_mode(name) for name in STREAMED_CONTENT}


def test_first_chunk() -> None:
    """Only a chunk that carries a part of the answer is the first one: neither a role nor a filter's result does."""
    carries = {name: _carrying(name) for name in ("azure", "openai-tool-calls", "openai-audio", "openrouter")}
    assert {
        "azure": [False, False, True, False],
        "openai-tool-calls": [False, True, True, True, True, True, False, False],
        "openai-audio": [True, True, True, True, False, False, False],
        "openrouter": [True, True, True, False, False],
    } == carries


def test_usage_to_come() -> None:
    """A stream waits for its usage from the last finish reason of all choices that were asked for on."""
    accumulator = CHAT.accumulator(2, True)
    waits = []
    for event in _events("openai-several-choices"):
        accumulator.add(event)
        waits.append(accumulator.all_finished)
    assert [False, False, False, False, False, False, True, False] == waits


STREAMED_CONTENT: Final = ("openai-tool-calls", "openai-function-call", "openai-audio", "openrouter")


def _output_in_privacy_mode(name: str) -> object:
    accumulator = CHAT.accumulator(1, False)
    for event in _events(name):
        accumulator.add(event)
    return accumulator.outcome().output


def _events(name: str) -> list[object]:
    return events_in(f"chat/{name}.sse")


def _carrying(name: str) -> list[bool]:
    accumulator = CHAT.accumulator(1, True)
    return [accumulator.add(event) for event in _events(name)]
