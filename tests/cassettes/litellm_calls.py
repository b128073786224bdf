"""How a recorded call is made again with LiteLLM, and what its record has to say."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from .shelf import Row

MESSAGES: Final = [{"role": "user", "content": "hi"}]
"""A cassette's answers come in recorded order, whatever is asked."""

PREFIXES: Final[Mapping[tuple[str, str], str]] = {
    ("anthropic", "anthropic.messages"): "anthropic/",
    ("bedrock", "bedrock.converse"): "bedrock/converse/",
    ("bedrock", "bedrock.invoke"): "bedrock/invoke/",
    ("cohere", "cohere.chat"): "cohere_chat/",
    ("deepseek", "chat.completions"): "deepseek/",
    ("gemini", "gemini.generate"): "gemini/",
    ("groq", "chat.completions"): "groq/",
    ("mistral", "chat.completions"): "mistral/",
    ("ollama", "chat.completions"): "openai/",
    ("ollama", "ollama.chat"): "ollama_chat/",
    ("openrouter", "chat.completions"): "openrouter/",
    ("openrouter", "embeddings"): "openai/",
    ("openrouter", "responses"): "openai/",
    ("perplexity", "chat.completions"): "perplexity/",
    ("together", "chat.completions"): "together_ai/",
    ("vertex_ai", "gemini.generate"): "vertex_ai/",
    ("vllm", "chat.completions"): "hosted_vllm/",
    ("vllm", "embeddings"): "hosted_vllm/",
    ("cloudflare", "chat.completions"): "openai/",
    ("databricks", "chat.completions"): "databricks/",
    ("huggingface", "chat.completions"): "openai/",
    ("xai", "responses"): "xai/",
    ("azure_ai", "chat.completions"): "azure_ai/",
    ("portkey", "chat.completions"): "openai/",
    ("pydantic_gateway", "responses"): "openai/",
}
"""Provider and endpoint of the index → how LiteLLM's name of the model begins."""

AT_ROOT: Final = frozenset({"anthropic.messages", "gemini.generate", "ollama.chat"})
"""Endpoints whose whole path LiteLLM adds itself."""

PROVIDERS: Final[Mapping[str, str]] = {
    "azure_ai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "together": "together_ai",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""The index's word for who was called → ours, where it differs."""


def arguments_of(row: Row, server: Any) -> tuple[str, dict[str, Any]]:
    """The function of LiteLLM's to call, and its arguments."""
    model = PREFIXES[row.provider, row.endpoint] + row["request_model"]
    common: dict[str, Any] = {"model": model, "api_key": "test", "num_retries": 0}
    if row.provider == "bedrock":
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "aws_region_name": "us-east-1"}
        common.update(keys, aws_bedrock_runtime_endpoint=server.url)
    elif row.provider == "vertex_ai":
        common["api_base"] = f"{server.url}/models/{row['request_model']}"
    elif row.endpoint == "cohere.chat":
        common["api_base"] = f"{server.url}/v2/chat"
    else:
        common["api_base"] = server.url if row.endpoint in AT_ROOT else server.base_url
    if row.endpoint == "embeddings":
        return "embedding", {**common, "input": ["hi"]}
    if row.endpoint == "responses":
        return "responses", {**common, "input": "hi", "stream": row.is_stream}
    return "completion", {**common, "messages": MESSAGES, "max_retries": 0, "stream": row.is_stream}


def counts_of(row: Row) -> dict[str, int | None]:
    """The index's counts as a record has them: input with cache reads and writes, output with reasoning."""
    said = {name: int(row[name]) if row[name] else None for name in COUNTS}
    cached, written, thought = (said[name] or 0 for name in ("cached_tokens", "cache_write_tokens", "reasoning_tokens"))
    shape = row["usage_shape"]
    if shape in ("anthropic", "bedrock_converse") and said["prompt_tokens"] is not None:
        said["prompt_tokens"] += cached + written
    if shape == "gemini" and said["completion_tokens"] is not None:
        said["completion_tokens"] += thought
    return {name: value for name, value in said.items() if value or name in TOTALS}


TOTALS: Final = ("prompt_tokens", "completion_tokens")
COUNTS: Final[Mapping[str, str]] = {
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "cached_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "reasoning_tokens": "reasoning_tokens",
}
"""Column of the index → field of the usage."""


def cost_of(row: Row) -> Decimal | None:
    """What the answer itself says that it cost; with the user's own key the provider charges beside OpenRouter."""
    if not row["cost"]:
        return None
    return Decimal(row["cost"]) + (Decimal(row["upstream_cost"] or 0) if row["is_byok"] == "y" else 0)
