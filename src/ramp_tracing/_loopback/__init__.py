"""
A small HTTP server on 127.0.0.1, for whatever stands in for someone else: Ramp in tests, a model provider in the demo.

It speaks HTTP/1.1 with keep-alive, answers by a plain function, and keeps what it was asked. Standard library only.
"""

from ._body import MAX_BODY_BYTES, Refusal, gunzip
from ._messages import Answer, AnswerFunction, Request, json_answer
from ._server import LoopbackServer

__all__ = [
    "MAX_BODY_BYTES",
    "Answer",
    "AnswerFunction",
    "LoopbackServer",
    "Refusal",
    "Request",
    "gunzip",
    "json_answer",
]
