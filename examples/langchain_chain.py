"""
A chain of LangChain's: one call, with the names that the chain has.

Needs OPENAI_API_KEY and RAMP_API_KEY. Without keys and without a network:

    python examples/offline.py examples/langchain_chain.py
"""

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

import ramp_tracing

ramp_tracing.instrument()

prompt = ChatPromptTemplate.from_template("Where should the team meet in {month}?")
chain = prompt | ChatOpenAI(model="gpt-4o-mini") | StrOutputParser()
answer = chain.invoke(
    {"month": "May"},
    config={
        "run_name": "Plan the offsite",
        "metadata": {"user_id": "ada", "cost_center": "CC-1234"},
        "tags": ["travel"],
    },
)
print(answer)
