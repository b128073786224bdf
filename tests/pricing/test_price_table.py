"""What calls cost by the bundled price table; every price is worked out by hand from the providers' price pages."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version

import pytest
from genai_prices import data_snapshot
from genai_prices.types import ModelInfo, ModelPrice
from pricing_samples import TUESDAY, at, call, tokens

from ramp_tracing._pricing import priced
from ramp_tracing._record import Cost, Failure, Generation, Usage

CHAT = tokens(1000, 118)

PRICES: dict[str, tuple[Generation, str, str]] = {
    # name: the call, the input's share, the output's share (USD)
    "42 x 2.50 and 118 x 10.00 a million": (call("openai", "gpt-4o", tokens(42, 118)), "0.000105", "0.00118"),
    "half of the input was cached": (
        call("openai", "gpt-4o-mini-2024-07-18", tokens(1000, 118, cache_read_tokens=500)),
        "0.0001125",
        "0.0000708",
    ),
    "3 tokens new, 1217 written to the cache": (
        call("openai", "gpt-5.6-luna", tokens(1220, 100, cache_write_tokens=1217)),
        "0.00030485",
        "0.00012",
    ),
    "reasoning is in the output already": (
        call("openai", "gpt-5", tokens(1000, 118, reasoning_tokens=100, total_tokens=1118)),
        "0.00125",
        "0.00118",
    ),
    "tier flex": (call("openai", "gpt-5", CHAT, service_tier="flex"), "0.000625", "0.00059"),
    "tier priority": (call("openai", "gpt-5", CHAT, service_tier="priority"), "0.0025", "0.00236"),
    "tier default": (call("openai", "gpt-5", CHAT, service_tier="default"), "0.00125", "0.00118"),
    "tier auto": (call("openai", "gpt-5", CHAT, service_tier="auto"), "0.00125", "0.00118"),
    "tier standard": (call("gcp.gemini", "gemini-2.5-pro", CHAT, service_tier="standard"), "0.00125", "0.00118"),
    "Groq's standard tier": (
        call("groq", "llama-3.3-70b-versatile", CHAT, service_tier="on_demand"),
        "0.00059",
        "0.00009322",
    ),
    "Groq's flex costs what on_demand does": (
        call("groq", "llama-3.3-70b-versatile", CHAT, service_tier="flex"),
        "0.00059",
        "0.00009322",
    ),
    "Azure, by the model that answered": (
        call("azure.ai.openai", "gpt-4o-2024-08-06", tokens(42, 118), request_model="my-deployment"),
        "0.000105",
        "0.00118",
    ),
    "Azure's old spelling": (call("azure.ai.openai", "gpt-35-turbo", CHAT), "0.0005", "0.000177"),
    "Azure with a tier": (call("azure.ai.openai", "gpt-5", CHAT, service_tier="priority"), "0.0025", "0.00236"),
    "the model asked for, where the answer names none": (
        call("openai", None, tokens(1000, 1000), request_model="gpt-4.1"),
        "0.002",
        "0.008",
    ),
    "the answer leaves out the author": (
        call("openrouter", "gpt-4o", tokens(42, 118), request_model="openai/gpt-4o"),
        "0.000105",
        "0.00118",
    ),
    "Bedrock, by the route that was asked for": (
        call(
            "aws.bedrock",
            "claude-sonnet-4-5-20250929",
            tokens(1000, 1000),
            request_model="global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        "0.003",
        "0.015",
    ),
    "Bedrock in a region costs a tenth more": (
        call(
            "aws.bedrock",
            "claude-sonnet-4-5-20250929",
            tokens(1000, 1000),
            request_model="us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        "0.0033",
        "0.0165",
    ),
    "Claude on Vertex's global endpoint": (
        call(
            "gcp.vertex_ai",
            "claude-sonnet-4-5-20250929",
            tokens(1000, 1000),
            server_address="aiplatform.googleapis.com",
        ),
        "0.003",
        "0.015",
    ),
    "an older Claude, in a region of Vertex": (
        call(
            "gcp.vertex_ai",
            "claude-sonnet-4-20250514",
            tokens(1000, 1000),
            server_address="europe-west1-aiplatform.googleapis.com",
        ),
        "0.003",
        "0.015",
    ),
    "the answer has a name of its own": (
        call(
            "openai", "davinci:2023-07-21-v2", tokens(8, 16), request_model="davinci-002", operation="text_completion"
        ),
        "0.000016",
        "0.000032",
    ),
    "fine-tuned": (call("openai", "ft:gpt-4o-mini-2024-07-18:org::id", tokens(1000, 1000)), "0.0003", "0.0012"),
    "long prompts cost more from 272,000 tokens on": (
        call("openai", "gpt-5.4", tokens(300_000, 1000)),
        "1.5",
        "0.0225",
    ),
    "the price before a cut": (call("openai", "o3", tokens(1000, 1000), timing=at(2025, 6, 1)), "0.01", "0.04"),
    "and after it": (call("openai", "o3", tokens(1000, 1000)), "0.002", "0.008"),
    "DeepSeek at peak hours": (
        call("deepseek", "deepseek-v4-flash", tokens(1000, 500), timing=at(2026, 11, 3, 2)),
        "0.0003",
        "0.0006",
    ),
    "DeepSeek off peak": (call("deepseek", "deepseek-v4-flash", tokens(1000, 500)), "0.00015", "0.0003"),
    "DeepSeek on a Sunday at noon": (
        call("deepseek", "deepseek-v4-flash", tokens(1000, 500), timing=at(2026, 11, 1)),
        "0.00015",
        "0.0003",
    ),
    "audio at its own price": (
        call("openai", "gpt-audio", tokens(100, 60, input_audio_tokens=80, output_audio_tokens=40)),
        "0.00261",
        "0.00276",
    ),
    "an audio model that was only written to": (
        call("openai", "gpt-4o-audio-preview", tokens(100, 50, input_audio_tokens=0, output_audio_tokens=0)),
        "0.00025",
        "0.0005",
    ),
    "a transcription billed in tokens": (
        call("openai", "gpt-4o-transcribe", tokens(20, 10, input_audio_tokens=14), operation="transcription"),
        "0.000099",
        "0.0001",
    ),
    "90 seconds of whisper": (
        call("openai", None, Usage(audio_seconds=Decimal(90)), request_model="whisper-1", operation="transcription"),
        "0.009",
        "0",
    ),
    "Groq bills ten seconds at least": (
        call("groq", "whisper-large-v3-turbo", Usage(audio_seconds=Decimal(3)), operation="transcription"),
        "0.0001111111",
        "0",
    ),
    "tokens and seconds": (
        call("mistral_ai", "voxtral-small-latest", tokens(1000, 1000, audio_seconds=Decimal(36))),
        "0.0025",
        "0.0004",
    ),
    "a thousand characters of speech": (
        call("openai", None, Usage(input_characters=1000), request_model="tts-1", operation="speech"),
        "0.015",
        "0",
    ),
    "an embedding has no output": (
        call("openai", "text-embedding-3-small", tokens(1000, total_tokens=1000), operation="embeddings"),
        "0.00002",
        "0",
    ),
    "an embedding whose row prices an output": (
        call("mistral_ai", "mistral-embed", tokens(1000), operation="embeddings"),
        "0.0001",
        "0",
    ),
    "an image": (
        call(
            "openai",
            None,
            tokens(50, 1056, input_image_tokens=0, output_image_tokens=1056, images=1),
            request_model="gpt-image-1",
            operation="image_generation",
        ),
        "0.00025",
        "0.04224",
    ),
    "an image and its caption": (
        call(
            "openai",
            "gpt-image-1.5",
            tokens(50, 1100, input_image_tokens=0, output_image_tokens=1056),
            operation="image_generation",
        ),
        "0.00025",
        "0.034232",
    ),
    "cached input of Anthropic's": (
        call("anthropic", "claude-haiku-4-5", tokens(1000, 100, cache_read_tokens=900, cache_write_tokens=0)),
        "0.00019",
        "0.0005",
    ),
    "an older model costs the same in Europe": (
        call("openai", "gpt-4o", tokens(42, 118), server_address="eu.api.openai.com"),
        "0.000105",
        "0.00118",
    ),
    "a call that failed after it was billed": (
        call("openai", "gpt-4o", tokens(42, 118), failure=Failure(type="LengthFinishReasonError")),
        "0.000105",
        "0.00118",
    ),
    "a batch that has no room for a long prompt": (
        call("openai", "gpt-5.4", tokens(272_000, 1000), operation="batch", service_tier="batch"),
        "0.34",
        "0.0075",
    ),
    "a batch without a step": (
        call("openai", "gpt-4o", tokens(5_000_000, 1000), operation="batch", service_tier="batch"),
        "6.25",
        "0.005",
    ),
    "a long prompt in a batch, by itself": (
        call("openai", "gpt-5.4", tokens(272_001, 1000), service_tier="batch"),
        "0.6800025",
        "0.01125",
    ),
    "Gemini by the name that Vertex gives it, in a region": (
        call(
            "gcp.vertex_ai",
            "google/gemini-2.5-flash",
            tokens(1000, 500),
            server_address="europe-west1-aiplatform.googleapis.com",
        ),
        "0.0003",
        "0.00125",
    ),
    "Gemini by the name of its list of models": (
        call("gcp.gemini", "gemini-2.5-flash", tokens(1000, 500), request_model="models/gemini-2.5-flash"),
        "0.0003",
        "0.00125",
    ),
    "a newer Gemini where there is no region": (
        call("gcp.vertex_ai", "google/gemini-3.5-flash", tokens(1000, 500), server_address="aiplatform.googleapis.com"),
        "0.0015",
        "0.0045",
    ),
    "OpenRouter, when it does not say": (call("openrouter", "openai/gpt-4o", tokens(42, 118)), "0.000105", "0.00118"),
    "nothing used of a model that costs something": (call("openai", "gpt-4o", tokens(0, 0)), "0", "0"),
    "a free variant": (call("openrouter", "deepseek/deepseek-r1:free", CHAT), "0", "0"),
    "moderation is free": (call("openai", "omni-moderation-latest", operation="moderation"), "0", "0"),
    "Gemma is free on the Gemini API": (call("gcp.gemini", "gemma-3-27b-it", CHAT), "0", "0"),
}

PRICES |= {
    "Bedrock in a region for which the list is": (
        call("aws.bedrock", "amazon.nova-lite-v1:0", CHAT, server_address="bedrock-runtime.us-east-1.amazonaws.com"),
        "0.00006",
        "0.00002832",
    ),
    "Bedrock by a name that says such a region": (
        call("aws.bedrock", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0", CHAT),
        "0.00006",
        "0.00002832",
    ),
    "Bedrock's endpoint for OpenAI's client": (
        call("aws.bedrock", "openai.gpt-5.4", CHAT, server_address="bedrock-mantle.eu-west-1.api.aws"),
        "0.00275",
        "0.001947",
    ),
    "Claude's routes are in the list, wherever the request comes from": (
        call(
            "aws.bedrock",
            "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
            CHAT,
            server_address="bedrock-runtime.eu-central-1.amazonaws.com",
        ),
        "0.0011",
        "0.000649",
    ),
    "as many tokens as a prompt of Claude's on Bedrock may have": (
        call("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", tokens(200_000, 0)), "0.66", "0",
    ),
    "a batch of Claude's on Vertex costs half": (
        call("gcp.vertex_ai", "claude-sonnet-5", CHAT, operation="batch", service_tier="batch"), "0.001", "0.00059",
    ),
}  # fmt: skip


UNPRICED: dict[str, Generation] = {
    "a host that nobody knows": call(None, "gpt-4o", CHAT),
    "a provider without a list": call("ollama", "gpt-4o", CHAT),
    "Ramp's router": call("ramp_router", "gpt-4o", CHAT),
    "no model": call("openai", None, CHAT),
    "a model that is not listed": call("openai", "gpt-4o-foo", CHAT),
    "a newer snapshot": call("openai", "gpt-5.1-2031-01-01", CHAT, request_model="gpt-5.1"),
    "a variant that is not listed": call("openrouter", "openai/gpt-4o:online", CHAT),
    "Azure's deployment names no model": call("azure.ai.openai", None, CHAT, request_model="gpt-4o"),
    "Azure's router takes a fee": call("azure.ai.openai", "gpt-4o", CHAT, request_model="model-router"),
    "Azure's router without a deployment": call("azure.ai.openai", "gpt-4o", CHAT, request_model="auto"),
    "a row without prices is not free": call("cerebras", "qwen-3-coder-480b", CHAT),
    "Gemma on Vertex is not free": call("gcp.vertex_ai", "gemma-3-27b-it", CHAT),
    "tier scale": call("openai", "gpt-5", CHAT, service_tier="scale"),
    "tier performance": call("groq", "llama-3.3-70b-versatile", CHAT, service_tier="performance"),
    "on_demand is Groq's word alone": call("openai", "gpt-5", CHAT, service_tier="on_demand"),
    "a tier that the model's row does not have": call("openai", "gpt-4.1", CHAT, service_tier="flex"),
    "a tier before its prices are on record": call(
        "openai", "gpt-5", CHAT, service_tier="flex", timing=at(2026, 10, 1)
    ),
    "a tier without a price for what was cached": call(
        "openai", "o3-pro", tokens(1000, 118, cache_read_tokens=500), service_tier="flex"
    ),
    "audio without a price for audio": call(
        "openai", "gpt-4o-audio-preview", tokens(100, 50, input_audio_tokens=80, output_audio_tokens=0)
    ),
    "an audio model that does not say how much was audio": call("openai", "gpt-audio", tokens(100, 50)),
    "cached without a price for it": call("groq", "llama-3.3-70b-versatile", tokens(1000, 100, cache_read_tokens=500)),
    "written to the cache without a price for it": call("openai", "gpt-4o", tokens(1000, 100, cache_write_tokens=5)),
    "written to a cache of unknown life": call(
        "anthropic", "claude-haiku-4-5", tokens(1000, 100, cache_write_tokens=500)
    ),
    "pictures without a price for them": call("x_ai", "grok-3-mini", tokens(300, 10, input_image_tokens=256)),
    "an image model that does not say how much was image": call(
        "openai", "gpt-image-1.5", tokens(50, 1100, input_image_tokens=0), operation="image_generation"
    ),
    "images without tokens": call("openai", "gpt-image-1", Usage(images=1), operation="image_generation"),
    "cached pictures, of neither of which the share is known": call(
        "openai", "gpt-image-1", tokens(500, 1000, input_image_tokens=400, cache_read_tokens=300)
    ),
    "more cached than there was": call("openai", "gpt-4o", tokens(10, 10, cache_read_tokens=11)),
    "more reasoning than output": call("openai", "gpt-5", tokens(10, 10, reasoning_tokens=11)),
    "a total that no count explains": call("openai", "gpt-4o", tokens(35, 12, total_tokens=109)),
    "input unknown": call("openai", "gpt-4o", tokens(None, 118)),
    "output unknown": call("openai", "gpt-4o", tokens(42, None)),
    "output of a model that has no price for it": call("openai", "text-embedding-3-small", tokens(10, 5)),
    "usage unknown": call("openai", "gpt-4o"),
    "estimated": call("openai", "gpt-4o", tokens(42, 118, estimated=True)),
    "pending": call("openai", "gpt-4o", CHAT, pending=True),
    "a batch of which the model is unknown": call("openai", None, CHAT, operation="batch"),
    "a batch in another tier": call("openai", "gpt-4o", CHAT, operation="batch", service_tier="flex"),
    "a batch that may have long prompts, or many short ones": call(
        "openai", "gpt-5.4", tokens(272_001, 1000), operation="batch", service_tier="batch"
    ),
    "a batch, where the list has a step at standard prices alone": call(
        "openai", "gpt-5.5-pro", tokens(272_001, 1000), operation="batch", service_tier="batch"
    ),
    "a long prompt in a tier of which the list has no step": call(
        "openai", "gpt-5.5-pro", tokens(272_001, 1000), service_tier="flex"
    ),
    "an endpoint that nobody knows": call("openai", "gpt-4o", CHAT, operation="v1.decisions"),
    "a hosted tool without a price": call(
        "openai", "gpt-5", tokens(1000, 118, hosted_tool_calls={"code_interpreter_call": 2})
    ),
    "a model that searches in every call": call("openai", "gpt-4o-search-preview", CHAT),
    "and its successor": call("openai", "gpt-5-search-api", CHAT),
    "a fee for each request": call("perplexity", "sonar", CHAT),
    "nobody says what Google bills for Anthropic's platform": call(
        "anthropic", "claude-sonnet-4-5", CHAT, server_address="claude.googleapis.com"
    ),
    "data residency costs more for a newer model": call("openai", "gpt-5.4", CHAT, server_address="eu.api.openai.com"),
    "a newer Claude in a region of Vertex": call(
        "gcp.vertex_ai",
        "claude-sonnet-4-5@20250929",
        CHAT,
        server_address="europe-west1-aiplatform.googleapis.com",
    ),
    "a newer Gemini in a region of Vertex": call(
        "gcp.vertex_ai", "gemini-3.5-flash", CHAT, server_address="europe-west1-aiplatform.googleapis.com"
    ),
    "Bedrock by a profile that does not say its route": call(
        "aws.bedrock",
        "claude-sonnet-4-5-20250929",
        CHAT,
        request_model="arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
    ),
    "DeepSeek at peak hours of a Sunday": call(
        "deepseek", "deepseek-v4-flash", tokens(1000, 500), timing=at(2026, 11, 1, 2)
    ),
    "lists that disagree: deepseek-chat": call("deepseek", "deepseek-chat", CHAT),
    "lists that disagree: deepseek-reasoner": call("deepseek", "deepseek-reasoner", CHAT),
    "Bedrock in a region that costs more": call(
        "aws.bedrock", "amazon.nova-lite-v1:0", CHAT, server_address="bedrock-runtime.eu-west-2.amazonaws.com"
    ),
    "Bedrock in a region that nobody names": call("aws.bedrock", "amazon.nova-lite-v1:0", CHAT),
    "Bedrock by a route through such regions": call("aws.bedrock", "eu.meta.llama3-2-3b-instruct-v1:0", CHAT),
    "Claude in a region of the government's": call(
        "aws.bedrock",
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        CHAT,
        server_address="bedrock-runtime-fips.us-gov-west-1.amazonaws.com",
    ),
    "Claude in a region that is paid in another currency": call(
        "aws.bedrock",
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        CHAT,
        server_address="bedrock-runtime.eusc-de-east-1.amazonaws.eu",
    ),
    "Bedrock by a name that says such a region": call(
        "aws.bedrock", "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0", CHAT
    ),
    "Bedrock by a door of one's own in such a region": call(
        "aws.bedrock",
        "amazon.nova-lite-v1:0",
        CHAT,
        server_address="vpce-1-2.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
    ),
    "Claude by a name of the government's": call(
        "aws.bedrock",
        "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/"
        "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
        CHAT,
    ),
    "a newer Claude in several regions of Vertex": call(
        "gcp.vertex_ai", "claude-sonnet-4-5@20250929", CHAT, server_address="aiplatform.eu.rep.googleapis.com"
    ),
    "Claude by a route of the government's": call(
        "aws.bedrock", "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", CHAT
    ),
    "a long prompt of Claude's on Bedrock, whose list has no step": call(
        "aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", tokens(200_001, 118)
    ),
    "DeepSeek's models at Azure, which has prices of its own": call("azure.ai.openai", "DeepSeek-V3.2", CHAT),
    "OpenAI's open models at Azure": call("azure.ai.openai", "gpt-oss-120b", CHAT),
    "cache writes that live for twelve hours": call(
        "openai", "gpt-5.6", tokens(1000, 118, cache_write_tokens=800, cache_write_12h_tokens=1)
    ),
    "a call that a customer pays": call("anthropic", "claude-sonnet-4-6", CHAT, parameters={"billed_to_customer": 1}),
    "cache writes that are billed as reads": call(
        "anthropic",
        "claude-sonnet-4-6",
        tokens(1000, 118, cache_write_tokens=800, cache_write_5m_tokens=800, hosted_tool_calls={"fallback_credit": 1}),
    ),
    "a background response that may take hours": call(
        "openai", "gpt-5.6", CHAT, parameters={"completion_window_hours": 2}
    ),
    "a search at a discount": call(
        "openai", "gpt-5.6", tokens(1000, 118, hosted_tool_calls={"discounted_web_search_call": 1})
    ),
    "a drawing, whose author is another model": call(
        "openai",
        "gpt-image-1",
        tokens(100, 4000, input_image_tokens=80, images=1, hosted_tool_calls={"svg_authoring_call": 1}),
        operation="image_generation",
    ),
    "a browser search of Groq's": call(
        "groq", "openai/gpt-oss-120b", tokens(1000, 118, hosted_tool_calls={"browser_search_call": 1})
    ),
    "lists that disagree: grok-code-fast-1": call("x_ai", "grok-code-fast-1", CHAT),
    "lists that disagree: mistral-large-latest": call("mistral_ai", "mistral-large-latest", CHAT),
    "lists that disagree: Llama on Together": call("together_ai", "meta-llama/Llama-3.3-70B-Instruct-Turbo", CHAT),
    "whisper that does not say how long": call("openai", "whisper-1", operation="transcription"),
    "speech by a model that is billed in tokens": call(
        "openai", "gpt-4o-mini-tts", Usage(input_characters=1000), operation="speech"
    ),
    "speech that failed": call(
        "openai", "tts-1", Usage(input_characters=1000), operation="speech", failure=Failure(type="APIError")
    ),
    "a failure without usage": call("openai", "gpt-4o", failure=Failure(type="RateLimitError", status_code=429)),
    "moderation that failed": call(
        "openai", "omni-moderation-latest", operation="moderation", failure=Failure(type="APITimeoutError")
    ),
    "sora": call("openai", "sora-2", operation="video_generation"),
    "an instant that is none": call("openai", "gpt-4o", CHAT, timing=replace(TUESDAY, started=10**30)),
}


@pytest.mark.parametrize("name", PRICES)
def test_listed(name: str) -> None:
    """A call of which host, model, tier and all counts are known costs what the list says, to the last place."""
    generation, input_cost, output_cost = PRICES[name]
    expected = Cost(
        input=Decimal(input_cost),
        output=Decimal(output_cost),
        total=Decimal(input_cost) + Decimal(output_cost),
        source="price_table",
        price_list=f"genai-prices {version('genai-prices')}",
        price_date=datetime.fromtimestamp(generation.timing.started // 10**9, UTC).date().isoformat(),
    )
    assert priced(generation) == replace(generation, cost=expected)


@pytest.mark.parametrize("name", UNPRICED)
def test_unknown(name: str) -> None:
    """Where anything is unknown there is no cost at all, rather than a low one or 0."""
    assert priced(UNPRICED[name]) is UNPRICED[name]


@pytest.mark.parametrize("tier", [None, "priority"])
def test_prices_that_the_application_fetches_are_the_ones_that_hold(tier: str | None) -> None:
    """From then on, with the day on which they were fetched; whether or not the old ones were used before."""
    asked = call("openai", "gpt-5", CHAT, service_tier=tier)
    before = priced(asked).cost
    bundled = data_snapshot.get_snapshot()
    dearer = deepcopy(next(each for each in bundled.providers if each.id == "openai"))
    for model in dearer.models:
        for price in _prices_of(model):
            price.input_mtok = Decimal(7000)
    fetched = datetime(2026, 11, 2, 9, tzinfo=UTC)
    newer = data_snapshot.DataSnapshot(providers=[dearer], from_auto_update=True, timestamp=fetched)
    data_snapshot.set_custom_snapshot(newer)
    try:
        cost = priced(asked).cost
    finally:
        data_snapshot.set_custom_snapshot(None)
    assert before is not None
    assert cost is not None
    assert cost.output == before.output
    assert cost.input == Decimal(7)
    assert cost.price_list == f"genai-prices {version('genai-prices')}, 2026-11-02"
    assert priced(asked).cost == before


def _prices_of(model: ModelInfo) -> list[ModelPrice]:
    """Of every day and tier."""
    usual = [model.prices] if isinstance(model.prices, ModelPrice) else [each.prices for each in model.prices]
    return [*usual, *(each.prices for each in model.price_variants or ())]
