"""
An agent as a graph of LangGraph's: two steps ask a model, a tool between them asks another one directly.

Every run is sent as a span of its own, so that the agent's work can be read as a tree. Needs OPENAI_API_KEY and
RAMP_API_KEY. Without keys and without a network:

    python examples/offline.py examples/langchain_agent.py
"""

from typing import TypedDict

import openai
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

import ramp_tracing

ramp_tracing.instrument(spans="all")


class Talk(TypedDict, total=False):
    """What the steps hand on."""

    question: str
    facts: str
    answer: str


@tool
def look_up(question: str) -> str:
    """Ask the model that knows the contracts."""
    messages = [{"role": "user", "content": question}]
    completion = openai.OpenAI().chat.completions.create(model="gpt-4.1", messages=messages)
    return completion.choices[0].message.content or ""


def research(talk: Talk) -> Talk:
    """Decide what to look up, and look it up."""
    plan = ChatOpenAI(model="gpt-4o-mini").invoke(f"What is to be known for: {talk['question']}")
    return {"facts": look_up.invoke({"question": str(plan.content)})}


def answer(talk: Talk) -> Talk:
    """Answer with what is known now."""
    written = ChatOpenAI(model="gpt-4.1-mini").invoke(f"{talk['question']} What we know: {talk['facts']}")
    return {"answer": str(written.content)}


graph = StateGraph(Talk)
graph.add_node("research", research)
graph.add_node("answer", answer)
graph.add_edge(START, "research")
graph.add_edge("research", "answer")
graph.add_edge("answer", END)
agent = graph.compile(name="Contract desk")

config = {"configurable": {"thread_id": "talk-17"}, "metadata": {"user_id": "grace", "team": "legal"}}
print(agent.invoke({"question": "When does the contract end?"}, config)["answer"])
