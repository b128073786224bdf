"""
The shortest way: one line, and every call of the openai client is reported to Ramp.

Needs OPENAI_API_KEY and RAMP_API_KEY. Without keys and without a network:

    python examples/offline.py examples/quickstart.py
"""

import openai

import ramp_tracing

ramp_tracing.instrument()

client = openai.OpenAI()
answer = client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Where should the team meet in May?"}],
)
print(answer.choices[0].message.content)
