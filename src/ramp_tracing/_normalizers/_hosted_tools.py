"""Calls of tools that the provider runs and bills one by one, beside the tokens."""

from collections.abc import Iterable, Mapping
from typing import Final

from ._reading import Path, as_count, as_items, as_name, dig, first_count, lacks

HOSTED_TOOLS: Final = frozenset(
    {"web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "shell_call"}
)
"""Output items of the Responses API that are billed one by one: https://platform.openai.com/docs/pricing#built-in-tools"""

FREE_ACTIONS: Final = ("open_page", "find_in_page", "find")
"""A web search is billed for searching: https://platform.openai.com/docs/guides/tools-web-search"""

PREVIEW: Final = ("web_search_preview", "web_search_preview_2025_03_11")
"""The older search tool has another price, which depends on the model; its calls look like those of the newer one."""

SEARCH: Final = "web_search_call"
DISCOUNTED: Final = "discounted_web_search_call"
"""Searches that ``tool_usage`` leaves out: https://platform.openai.com/docs/api-reference/responses/object"""

PREVIEW_CALL: Final = "web_search_preview_call"

SHELL: Final = "shell_call"
CONTAINERS: Final = ("container_auto", "container_reference")
"""
Where OpenAI runs a shell, billed by time as those of the code interpreter are; elsewhere the application runs it:
https://developers.openai.com/api/docs/guides/tools-shell
"""

IN_USAGE: Final[Mapping[str, tuple[Path, ...]]] = {
    "web_search_call": (
        ("server_tool_use", "web_search_requests"),
        ("server_tool_use_details", "web_search_requests"),
        ("server_side_tool_usage_details", "web_search_calls"),
    ),
    "web_fetch_call": (("server_tool_use", "web_fetch_requests"),),
    "code_execution_call": (("server_tool_use", "code_execution_requests"),),
    "x_search_call": (("server_side_tool_usage_details", "x_search_calls"),),
    "code_interpreter_call": (("server_side_tool_usage_details", "code_interpreter_calls"),),
    "file_search_call": (("server_side_tool_usage_details", "file_search_calls"),),
    "document_search_call": (("server_side_tool_usage_details", "document_search_calls"),),
    "image_generation_call": (("server_side_tool_usage_details", "image_generation_calls"),),
    "mcp_call": (("server_side_tool_usage_details", "mcp_calls"),),
    "router_tool_call": (("server_tool_use_details", "tool_calls_executed"),),
    "live_search_source": (("num_sources_used",),),
    "rerank_search": (("billed_units", "search_units"),),
}
"""
Kind → where a server counts its calls: Anthropic (``server_tool_use``), OpenRouter (``server_tool_use_details``), xAI
(``server_side_tool_usage_details``, and the sources of its Live Search), Cohere (``billed_units``).
"""

NAMES: Final = frozenset(
    {path[0] for paths in IN_USAGE.values() for path in paths}
    | {"num_server_side_tools_used", "iterations", "fallback_credit"}
)

CREDIT: Final = "fallback_credit"
REDEEMED: Final = "redeemed"
"""
After a refusal Anthropic bills what another model writes to its cache as if it had been read from there:
https://platform.claude.com/docs/en/api/beta/messages
"""

OWN_ITERATIONS: Final = frozenset({"message", "compaction"})
"""
Iterations of Anthropic's that the answer's own model made. Any other (an adviser, a fallback) has a price of its own:
https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool
"""


def tools_in_usage(usage: object) -> dict[str, int]:
    """Calls of hosted tools that a ``usage`` object counts, by kind; none of a kind that was not used."""
    if lacks(usage, NAMES):
        return {}
    counts = {kind: count for kind, paths in IN_USAGE.items() if (count := first_count(usage, paths))}
    unnamed = first_count(usage, (("num_server_side_tools_used",),))
    if unnamed and not counts.keys() - {"live_search_source"}:
        counts["server_side_tool"] = unnamed
    if dig(usage, CREDIT, "status", "type") == REDEEMED:
        counts[CREDIT] = 1
    for iteration in as_items(dig(usage, "iterations")):
        kind = as_name(dig(iteration, "type"))
        if kind is not None and kind not in OWN_ITERATIONS:
            counts[kind] = counts.get(kind, 0) + 1
    return counts


def count_hosted_tools(answer: object) -> Mapping[str, int]:
    """Calls of hosted tools among the output items of a Responses answer, by kind, as far as they are billed."""
    counts: dict[str, int] = {}
    for item in as_items(dig(answer, "output")):
        kind = as_name(dig(item, "type"))
        if kind in BILLED and not _is_free(item, answer):
            counts[kind] = counts.get(kind, 0) + 1
    if SEARCH in counts:
        counts.update(_searches(counts[SEARCH], as_count(dig(answer, "tool_usage", "web_search", "num_requests"))))
    if SEARCH in counts and any(dig(tool, "type") in PREVIEW for tool in as_items(dig(answer, "tools"))):
        counts[PREVIEW_CALL] = counts.pop(SEARCH)
    return counts


def _searches(made: int, billed: int | None) -> Mapping[str, int]:
    """Those of OpenAI's that are billed in full are said apart; what others cost nobody says."""
    if billed is None:
        return {}
    return {SEARCH: billed, DISCOUNTED: made - billed} if billed < made else {SEARCH: billed}


def _is_free(item: object, answer: object) -> bool:
    """Whether a call of a tool that is billed costs nothing."""
    if dig(item, "type") != SHELL:
        return dig(item, "action", "type") in FREE_ACTIONS
    said = dig(item, "environment", "type")
    if said is not None:
        return said not in CONTAINERS
    tools = (tool for tool in as_items(dig(answer, "tools")) if dig(tool, "type") == "shell")
    return all(dig(tool, "environment", "type") not in CONTAINERS for tool in tools)


EXECUTED: Final = "executed_tools"
"""
Where a message of Groq's says which tools Groq ran; but for calls of functions they are billed beside the tokens:
https://console.groq.com/docs/tool-use/built-in-tools
"""


def executed_tools(choices: Iterable[object]) -> Mapping[str, int]:
    """Calls of tools that Groq ran for these choices, by kind as Groq has it (``browser_search_call``)."""
    counts: dict[str, int] = {}
    for choice in choices:
        ran = dig(choice, "message", EXECUTED)
        for tool in () if ran is None else as_items(ran):
            kind = as_name(dig(tool, "type"))
            if kind is not None and kind != "function":
                name = f"{kind.replace('.', '_')}_call"
                counts[name] = counts.get(name, 0) + 1
    return counts


BLOCKS: Final[Mapping[str, str]] = {
    "bash_code_execution": "code_execution_call",
    "code_execution": "code_execution_call",
    "code_interpreter": "code_interpreter_call",
    "file_search": "file_search_call",
    "image_generation": "image_generation_call",
    "text_editor_code_execution": "code_execution_call",
    "web_fetch": "web_fetch_call",
    "web_search": "web_search_call",
}
"""What blocks of an answer call a hosted tool → its kind; tools that are not here cost their tokens alone."""

BILLED: Final = HOSTED_TOOLS | frozenset(BLOCKS.values())

CALLING_BLOCKS: Final = frozenset({"server_tool_use", "server_tool_call"})
"""Anthropic's blocks, and LangChain's own for everybody's."""


def tools_in_blocks(blocks: list[object], given: object) -> Mapping[str, int]:
    """
    Calls of hosted tools among the blocks of an answer, by kind, in whichever of the forms that LangChain has them in.

    Args:
        blocks: Output items as OpenAI sends them, blocks of Anthropic's, or LangChain's own.
        given: The tools that the model was given.
    """
    items: list[object] = []
    for block in blocks:
        kind = BLOCKS.get(as_name(dig(block, "name")) or "") if dig(block, "type") in CALLING_BLOCKS else None
        items.append(block if kind is None else {"type": kind, "action": dig(block, "args")})
    return count_hosted_tools({"output": items, "tools": given})
