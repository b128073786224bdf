"""The part of an answer that is written down before the answer is read: the same to a reader, and no content."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._normalizers import CHAT, COMPLETIONS, EMBEDDINGS, FORMATS, RESPONSES, WireFormat, parse
from ramp_tracing._normalizers._shapes import MAX_SHAPES, Shapes
from ramp_tracing._record import Outcome

SECRET: Final = "canary"

USAGE: Final = {
    "prompt_tokens": 12,
    "completion_tokens": 34,
    "total_tokens": 46,
    "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 0},
    "completion_tokens_details": None,
}
CHOICE: Final = {"index": 0, "message": {"role": "assistant", "content": SECRET}, "finish_reason": "stop"}
CHAT_ANSWER: Final = {
    "id": "chatcmpl-0123456789",
    "object": "chat.completion",
    "created": 1767225600,
    "model": "gpt-4o-2024-08-06",
    "choices": [CHOICE],
    "usage": USAGE,
    "service_tier": "default",
    "system_fingerprint": "fp_1a2b",
}
RESPONSE: Final[Mapping[str, Any]] = {
    "id": "resp_0123456789abcdef",
    "object": "response",
    "created_at": 1767225600,
    "status": "completed",
    "background": False,
    "error": None,
    "incomplete_details": None,
    "instructions": SECRET,
    "model": "gpt-4o-2024-08-06",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": SECRET}]}],
    "parallel_tool_calls": True,
    "service_tier": "default",
    "tools": [],
    "usage": {"input_tokens": 12, "output_tokens": 34, "output_tokens_details": {"reasoning_tokens": 3}},
    "user": SECRET,
    "metadata": {"note": SECRET},
}

FORMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "compact": {"separators": (",", ":")},
    "of Python's": {},
    "indented": {"indent": 2},
}


def bodies(answer: object) -> list[bytes]:
    """JSON of an answer, as several servers write it."""
    return [json.dumps(answer, **form).encode() for form in FORMS.values()]


def without_end(outcome: Outcome) -> Outcome:
    """What a lean part can say."""
    return replace(outcome, output=None, finish_reasons=(), native_finish_reason=None)


def says_the_same(format: WireFormat, body: bytes) -> bool:
    """Whether there is a lean part, which then reads like the whole."""
    lean = {format.lean(body) for _ in range(3)}  # at first, when its shape has been seen, when that has been examined
    return all(_says_the_same(format, body, each) for each in lean)


def _says_the_same(format: WireFormat, body: bytes, lean: tuple[str | None, bytes] | None) -> bool:
    if lean is None:
        return False
    response_id, text = lean
    whole, part = format.read(parse(body)), format.read(parse(text))
    assert without_end(part) == without_end(whole)
    assert (response_id or None) == whole.response_id
    assert b"\n" not in text
    return True


@pytest.mark.parametrize("form", FORMS)
def test_an_ordinary_answer_has_one(form: str) -> None:
    """However its server writes it, and wherever it puts the usage."""
    elsewhere = {**{name: CHAT_ANSWER[name] for name in ("choices", "id", "usage")}, **CHAT_ANSWER}
    for format, answer in (
        (CHAT, CHAT_ANSWER), (CHAT, elsewhere), (RESPONSES, RESPONSE),
        (COMPLETIONS, {**CHAT_ANSWER, "choices": [{"text": SECRET, "finish_reason": "length"}]}),
    ):  # fmt: skip
        body = json.dumps(answer, **FORMS[form]).encode()
        lean = format.lean(body)
        assert lean is not None
        assert says_the_same(format, body)
        assert SECRET.encode() not in lean[1]


def test_so_has_one_with_details_of_details() -> None:
    """OpenAI says how long cache writes live: https://platform.openai.com/docs/api-reference/responses/object"""
    details = {"cached_tokens": 5, "cache_write_tokens_details": {"ttl_30m_tokens": 2, "ttl_12h_tokens": 700}}
    usage = {**RESPONSE["usage"], "input_tokens_details": details}
    assert all(says_the_same(RESPONSES, body) for body in bodies({**RESPONSE, "usage": usage}))


EMBEDDED: Final = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}, {"embedding": SECRET}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}


@pytest.mark.parametrize("order", [
    ("object", "data", "model", "usage"), ("model", "object", "data", "usage"), ("object", "model", "usage", "data"),
    ("usage", "data", "model", "object"), ("object", "data", "usage", "model"),
])  # fmt: skip
def test_vectors_are_not_kept(order: tuple[str, ...]) -> None:
    """Wherever they stand; where they cannot be cut out, the answer is read at once."""
    for body in bodies({name: EMBEDDED[name] for name in order}):
        kept = EMBEDDINGS.kept(body)
        assert kept is None or (SECRET.encode() not in kept and b'embedding"' not in kept)
        assert kept is None or EMBEDDINGS.read(parse(kept)) == EMBEDDINGS.read(parse(body))
        assert (kept is None) == (order[-1] == "data")
        assert kept is None or says_the_same(EMBEDDINGS, kept)


@pytest.mark.parametrize("more", [
    {}, {"id": "embd-0123456789abcdef"}, {"created": 1767225600}, {"provider": "p"}, {"cost": "1"}, {"a": [{"b": []}]},
    {"error": {"message": SECRET}}, {"detail": SECRET}, {"usage": {"prompt_tokens": 8, "cost": 0.25}}, {"usage": None},
])  # fmt: skip
def test_embeddings_read_like_the_whole(more: dict[str, Any]) -> None:
    """Whatever else is said, wherever it is said, and however often that came before."""
    others = {name: value for name, value in EMBEDDED.items() if name not in more}
    before, behind = {**more, **others}, {**others, **more}
    between = {"object": "list", "data": EMBEDDED["data"], **more, **others}
    for body in [each for answer in (before, between, behind) for each in bodies(answer)] * 2:
        kept = EMBEDDINGS.kept(body)
        if kept is not None:
            assert EMBEDDINGS.read(parse(kept)) == EMBEDDINGS.read(parse(body))
            lean = EMBEDDINGS.lean(kept)
            assert lean is None or (says_the_same(EMBEDDINGS, kept) and SECRET.encode() not in lean[1])


def test_of_embeddings_that_come_together_each_is_told_apart() -> None:
    """Many threads may cut out vectors before any of them asks what is left."""
    usual = [{**EMBEDDED, "usage": {"prompt_tokens": count}} for count in range(1, 6)]
    odd = [{**EMBEDDED, "id": "embd-0123456789abcdef"}, {**EMBEDDED, "error": {"message": SECRET}}]
    for answer in usual:  # known from here on
        EMBEDDINGS.kept(json.dumps(answer).encode())
    kept = [EMBEDDINGS.kept(json.dumps(answer).encode()) for answer in (*usual, *odd, *usual)]
    for each in [*kept, *reversed(kept)]:
        assert each is not None
        lean = EMBEDDINGS.lean(each)
        if b"error" in each:
            assert lean is None
        else:
            assert lean is not None
            assert says_the_same(EMBEDDINGS, each)
            assert (lean[0] is None) == (b'"id"' not in each)


def test_another_list_behind_the_vectors_takes_nothing_along() -> None:
    """Where it might be taken for their end, the answer is read at once."""
    tail = b'"model":"m","usage":{"prompt_tokens":8},"warnings":["none"]'
    assert EMBEDDINGS.kept(b'{"object":"list","data":[{"embedding":[0.5]}],' + tail + b"}") is None
    assert EMBEDDINGS.kept(b'{"object":"list","model":"m","data":[{"embedding":[0.5]}],' + tail[12:] + b"}") is None
    told = b'{"model":"m","usage":{"prompt_tokens":8,"details":[{"a":1}]}'
    assert EMBEDDINGS.kept(told[:-1] + b',"data":[{"embedding":[0.5]}]}') is None
    assert EMBEDDINGS.kept(b'{"data":[{"embedding":[0.5]}],' + told[1:] + b"}") is None


def test_only_the_ends_of_embeddings_are_searched() -> None:
    """What stands in the middle is half a megabyte of vectors, and nobody looks there."""
    vectors = b'{"embedding":"' + b"A" * 400_000 + b'"}'
    head, tail = b'{"object":"list","data":[', b'],"model":"m","usage":{"prompt_tokens":8}}'
    assert EMBEDDINGS.kept(head + vectors + tail) == b'{"object":"list","model":"m","usage":{"prompt_tokens":8}}'
    assert EMBEDDINGS.kept(head + vectors + tail[:-1] + b" " * 4_000 + b"}") is None
    assert EMBEDDINGS.kept(b" " * 4_000 + head + vectors + tail) is None


def test_a_cost_beside_vectors_keeps_every_digit() -> None:
    """More of them than a float has."""
    body = b'{"object":"list","data":[[0.5]],"model":"m","usage":{"prompt_tokens":8,"cost":0.12345678901234567890123}}'
    kept = EMBEDDINGS.kept(body)
    assert kept is not None
    cost = EMBEDDINGS.read(parse(kept)).cost
    assert cost is not None
    assert cost.total == Decimal("0.12345678901234567890123")
    assert EMBEDDINGS.lean(kept) is None


def test_what_is_no_list_of_vectors_is_kept_as_a_whole_or_read() -> None:
    """Whatever it is."""
    for body in (
        b"{}",
        b'{"data"',
        b'{"data":[],"model"',
        b'{"a":{"data":[1],"model":"m"}}',
        b'{"data":{},"usage":{}}',
    ):
        assert EMBEDDINGS.kept(body) is None


UNUSUAL: Final[Mapping[str, Mapping[str, Any]]] = {
    "an error": {"error": {"message": SECRET}},
    "a bare error": {"detail": SECRET},
    "no usage": {"usage": None},
    "a usage with text": {"usage": {**USAGE, "note": SECRET}},
    "a usage with text further in": {"usage": {**USAGE, "prompt_tokens_details": {"note": SECRET}}},
    "a usage that is deep": {"usage": {**USAGE, "prompt_tokens_details": {"more": {"and": {"cached_tokens": 1}}}}},
    "a usage with text in what is deep": {"usage": {**USAGE, "prompt_tokens_details": {"more": {"note": SECRET}}}},
    "a count that is none": {"usage": {**USAGE, "prompt_tokens": True}},
    "a count in words": {"usage": {**USAGE, "prompt_tokens": "12"}},
    "a cost": {"usage": {**USAGE, "cost": 0.0123}},
    "a list for a usage": {"usage": [USAGE]},
    "an id that is no text": {"id": ["chatcmpl-1"]},
    "a model that is no text": {"model": {"name": SECRET}},
}


@pytest.mark.parametrize("what", UNUSUAL)
def test_an_unusual_answer_has_none(what: str) -> None:
    """It is read at once, so that nothing of it is missed."""
    for format, answer in ((CHAT, CHAT_ANSWER), (RESPONSES, RESPONSE)):
        assert [format.lean(body) for body in bodies({**answer, **UNUSUAL[what]})] == [None] * len(FORMS)


@pytest.mark.parametrize("more", [
    {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, {"status": "queued"},
    {"status": "in_progress"}, {"status": "failed"}, {"background": True}, {"tools": [{"type": "web_search"}]},
    {"output": None}, {"output": "text"},
])  # fmt: skip
def test_a_response_that_may_cost_more_has_none(more: dict[str, Any]) -> None:
    """Nor one that goes on."""
    assert [RESPONSES.lean(body) for body in bodies({**RESPONSE, **more})] == [None] * len(FORMS)


@pytest.mark.parametrize("hidden", [
    {"citations": [SECRET]}, {"search_results": [{"title": SECRET}]}, {"note": SECRET},
    {"usage_note": {"text": SECRET}}, {"prompt_logprobs": None, "kv": {"a": SECRET}},
])  # fmt: skip
def test_text_that_nobody_knows_is_not_in_it(hidden: dict[str, Any]) -> None:
    """Wherever it stands, and however often an answer like it came before."""
    begin, end = {**hidden, **CHAT_ANSWER}, {**CHAT_ANSWER, **hidden}
    middle = {**{name: value for name, value in CHAT_ANSWER.items() if name != "usage"}, **hidden, "usage": USAGE}
    for body in [*bodies(begin), *bodies(middle), *bodies(end)] * 3:
        lean = CHAT.lean(body)
        assert lean is None or SECRET.encode() not in lean[1]
        assert lean is None or says_the_same(CHAT, body)


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b"<html>", b'{"choices"', b'"usage"', b'{"id":"a","choices":[],"usage"',
    b'{"id":"a","choices":[{}],"usage":{"prompt_tokens":1}', b'{"id":"a","choices":[{"usage":{"prompt_tokens":1}}]}',
    b'{"id":"a","x":{"choices":[{}],"usage":{"prompt_tokens":1}}}', b'{"choices":[],"usage":{}}',
    b'{"id":"\\"choices\\"","choices":[],"usage":{}}', b'{"id":"a","choices":[{"x":"],\\"usage\\":{}}"}]}',
    b'{"id":"a\\\\","object":"b","choices":[{}],"usage":{"prompt_tokens":7}}',
])  # fmt: skip
def test_whatever_comes_is_cut_only_where_it_may_be(body: bytes) -> None:
    """Names in texts, and members of members, are not the answer's."""
    for format in FORMATS.values():
        if parse(body) is not None:
            says_the_same(format, body)
        else:
            format.lean(body)


LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2**65), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "a", '"usage":', '],"usage":{}', '"choices":[', "{", "}", "\\", "stop", "error", "ä\n"]),
)  # fmt: skip
KEY = st.sampled_from(
    [*CHAT_ANSWER, *RESPONSE, *USAGE, "error", "detail", "message", "provider", "x_groq", "cost", "a"]
)
VALUE = st.recursive(
    LEAF, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEY, inner, max_size=4))
)


@settings(deadline=None)
@given(
    st.sampled_from([CHAT, COMPLETIONS, RESPONSES]), st.dictionaries(KEY, VALUE, max_size=3),
    st.permutations([*CHAT_ANSWER, *RESPONSE]), st.sampled_from(sorted(FORMS)),
    st.sampled_from([CHAT_ANSWER, RESPONSE]),
)  # fmt: skip
def test_it_reads_like_the_whole(
    format: WireFormat, more: dict[str, Any], order: list[str], form: str, answer: dict[str, Any]
) -> None:
    """Of any answer that has one."""
    mixed = {**answer, **more}
    ordered = {name: mixed.pop(name) for name in order if name in mixed} | mixed
    says_the_same(format, json.dumps(ordered, **FORMS[form]).encode())


@settings(deadline=None)
@given(st.dictionaries(KEY, VALUE, max_size=4), st.sampled_from(sorted(FORMS)), st.booleans())
def test_it_reads_like_the_whole_where_little_is_changed(more: dict[str, Any], form: str, behind: bool) -> None:
    """In the order in which answers come."""
    answer = {**CHAT_ANSWER, **more} if behind else {**more, **CHAT_ANSWER}
    says_the_same(CHAT, json.dumps(answer, **FORMS[form]).encode())


@settings(deadline=None)
@given(
    st.sampled_from([(CHAT, CHAT_ANSWER), (RESPONSES, RESPONSE), (RESPONSES, {**RESPONSE, "service_tier": None})]),
    st.sampled_from(sorted(FORMS)), st.lists(st.integers(0, 2**40), min_size=5, max_size=5),
    st.dictionaries(KEY, VALUE, max_size=1), st.sampled_from([None, "Be\nkind 7", '"model":"m"', "\\"]),
)  # fmt: skip
def test_it_reads_like_the_whole_where_the_digits_are_others(
    kind: tuple[WireFormat, Mapping[str, Any]], form: str, numbers: list[int], more: dict[str, Any], text: str | None
) -> None:
    """What is known of a shape was found in an answer with digits of its own."""
    format, answer = kind
    bodies = []
    for number in numbers:
        names = ("input_tokens", "output_tokens") if format is RESPONSES else ("prompt_tokens", "completion_tokens")
        usage = {name: number + at for at, name in enumerate(names)} | {"details": {"reasoning_tokens": number}}
        ids = {"id": f"{answer['id']}{number}", "model": f"gpt-{number}", "created": number}
        texts = {"instructions": text} if "instructions" in answer else {}
        bodies.append(json.dumps({**answer, **ids, **texts, "usage": usage, **more}, **FORMS[form]).encode())
    for body in bodies:
        lean = format.lean(body)
        assert _says_the_same(format, body, lean) or lean is None


def test_what_is_remembered_of_shapes_is_bounded() -> None:
    """Also where somebody sends a new one each time, or each of them twice."""
    shapes: Shapes[bool] = Shapes(lambda _: True)
    for number in range(3 * MAX_SHAPES):
        parts = [b'"a":"' + bytes([97 + digit for digit in divmod(number, 26)]) + b'"}']
        assert (shapes.of(parts), shapes.of(parts)) == (None, True)
    assert len(shapes._found) <= MAX_SHAPES  # pyright: ignore[reportPrivateUsage]
    assert len(shapes._seen) <= MAX_SHAPES  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"a-0123456789","choices":[{"finish_reason":"stop"}],"cost":"finish_reason","model":"gpt-4o","a":"]",'
        b'"usage":{"prompt_tokens":7}}',
        b'{"id":"a-0123456789","choices":[{"finish_reason":"stop"}],"type":"error","usage":{"prompt_tokens":7}}',
        b'{"id":"a-0123456789","type":"error","choices":[],"usage":{"prompt_tokens":7}}',
    ],
)
def test_what_stands_in_between_is_not_left_out(body: bytes) -> None:
    """A bracket in a text ends no list, and an error may say so in its type."""
    lean = CHAT.lean(body)
    whole = CHAT.read(parse(body))
    assert lean is None or without_end(CHAT.read(parse(lean[1]))) == without_end(whole)


@pytest.mark.parametrize("more", [{"service_tier": "flex"}, {"detail": "none"}, {"type": "error"}])
def test_nothing_is_left_out_where_nothing_says_how_a_choice_ended(more: dict[str, Any]) -> None:
    """What stands between the choices and the usage is the tier that the call is priced by, or an error."""
    choices = [{"index": 0, "message": {"role": "assistant", "content": SECRET}}]
    answer = {"id": "a-0123456789", "model": "gpt-4o", "choices": choices, **more, "usage": USAGE}
    for body in bodies(answer) * 3:
        assert (CHAT.lean(body) is not None) == ("service_tier" in more)
        assert CHAT.lean(body) is None or says_the_same(CHAT, body)


@pytest.mark.parametrize(("first", "second"), [
    ({"metadata": {"usage1": SECRET}}, {"metadata": {"usage": SECRET}}),
    ({"metadata": {"note": "usage1"}}, {"metadata": {"note": "usage"}}),
    ({"model": "gpt-4o", "said": "model1", "prompt": None}, {"model": "gpt-4o", "said": "model", "prompt": None}),
    ({"service_tier": "tier1"}, {"service_tier": "tier2"}),
])  # fmt: skip
def test_no_word_of_an_application_is_where_a_response_is_cut(first: dict[str, Any], second: dict[str, Any]) -> None:
    """A digit less makes a name of it that is looked for, in an answer of the same shape."""
    behind = ("output", "parallel_tool_calls", "service_tier", "tools", "usage", "metadata")

    def body(more: Mapping[str, Any]) -> bytes:
        before = {name: value for name, value in RESPONSE.items() if name not in (*behind, "model")}
        answer = {**before, "model": "gpt-4o", **more}
        ends = {name: answer.pop(name, RESPONSE[name]) for name in behind}
        return json.dumps({**answer, **ends}).encode()

    for each in (first, first, second):
        assert says_the_same(RESPONSES, body(each))
        lean = RESPONSES.lean(body(each))
        assert lean is not None
        assert SECRET.encode() not in lean[1]


def test_a_shape_is_of_its_parts_and_not_of_the_whole() -> None:
    """The same bytes, parted elsewhere, are something else; and it is examined when it comes again, once."""
    examined: list[object] = []

    def examine(parts: Sequence[bytes]) -> bytes:
        examined.append(list(parts))
        return parts[0]

    shapes = Shapes(examine)
    assert [shapes.of([b"ab%d" % number, b"c%d" % number]) for number in range(4)] == [None, b"ab1", b"ab1", b"ab1"]
    assert [shapes.of([b"a%d" % number, b"bc%d" % number]) for number in range(3)] == [None, b"a1", b"a1"]
    assert [shapes.of([b"a", b"b\0c"]) for _ in range(3)] == [None] * 3
    assert examined == [[b"ab1", b"c1"], [b"a1", b"bc1"]]


@pytest.mark.parametrize("body", [
    b'{"id":"a-0123456789","created":1,"choices":[{"finish_reason":"stop","message":{"content":"canary ]"}}],'
    b'"usage":{"prompt_tokens":7}}',
    b'{"id":"a-0123456789","created":1,"choices":[{"finish_reason":"stop","message":{"content":"canary"}}],'
    b'"usage":{"prompt_tokens":7}}',
    b'{"id":"a-0123456789","created":1,"choices":[{"finish_reason":"stop","message":{"content":"'
    + b"canary " * 100 + b'"}}],"usage":{"prompt_tokens":7}}',
])  # fmt: skip
def test_a_message_behind_its_finish_reason_is_not_in_it(body: bytes) -> None:
    """Short or long, with brackets or without."""
    for _ in range(2):
        lean = CHAT.lean(body)
        assert lean is not None
        assert b"canary" not in lean[1]
        assert says_the_same(CHAT, body)


def test_no_long_part_is_remembered() -> None:
    """Some servers repeat the prompt behind the usage."""
    shapes: Shapes[bool] = Shapes(lambda _: True)
    for _ in range(3):
        assert not shapes.of([b"{", b'"usage":{},"prompt_logprobs":[' + b'"canary",' * 1_000 + b"null]"])
    assert not shapes._found  # pyright: ignore[reportPrivateUsage] - it holds what nobody can see
    assert not shapes._seen  # pyright: ignore[reportPrivateUsage]
