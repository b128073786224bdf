"""The examples of LangChain do what they say and what its page shows, without keys and without a network."""

import re

import pytest

from tests.test_examples import EXAMPLES, ROOT, run

pytest.importorskip("langchain_openai")
pytest.importorskip("langgraph")

PAGE = (ROOT / "docs" / "langchain.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("script", "count"), [("langchain_chain.py", 1), ("langchain_agent.py", 3)])
def test_the_page_shows_the_trees_of_the_examples(script: str, count: int) -> None:
    """Names, nesting and counts, line by line."""
    output = run(str(EXAMPLES / "offline.py"), str(EXAMPLES / script))
    assert f"would have received: {count}\n" in output
    shown = re.search(rf"{re.escape(script)}.*?```text\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    assert shown[1].strip() == output.partition("As trees:")[2].strip()


def test_who_they_are_for() -> None:
    """User, tags and metadata of the configuration arrive."""
    output = run(str(EXAMPLES / "offline.py"), str(EXAMPLES / "langchain_chain.py"))
    assert "| $0.0001194 | ada | {'cost_center': 'CC-1234', 'tags': '[\"travel\"]'}" in output
