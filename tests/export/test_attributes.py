"""The tables: what is said of a call, and what is left out."""

import json
import logging
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from export_samples import DOCUMENTED, ENDED, FULL, PLAIN, STARTED, export, export_one
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._export import Encoder, ExportSettings
from ramp_tracing._export._attributes import OPENROUTER, SEMCONV
from ramp_tracing._guard import log
from ramp_tracing._record import Attribution, Content, Cost, Failure, Timing, UnixNanos, Usage


@pytest.fixture(autouse=True)
def _every_line_is_written() -> None:
    """A warning of an earlier test does not silence one of this test."""
    log._next.clear()


def values(generation: Any, **settings: Any) -> dict[str, Any]:
    """The attributes without their types."""
    return export_one(generation, **settings).values


def with_metadata(**metadata: object) -> Any:
    """A call with the user's own keys."""
    return replace(PLAIN, attribution=Attribution(metadata=metadata))


class TestUnknown:
    @pytest.mark.parametrize(
        ("dialect", "keys"),
        [
            ("openrouter", {"span.type", "span.level", "gen_ai.operation.name", "gen_ai.response.id", "ramp.library"}),
            ("semconv", {"gen_ai.operation.name", "gen_ai.response.id", "ramp.library"}),
        ],
    )
    def test_is_left_out(self, dialect: str, keys: set[str]) -> None:
        """A call of which nothing is known says nothing: no zeros, no nulls, no empty texts."""
        assert keys == values(PLAIN, dialect=dialect).keys()

    def test_cost_is_no_zero(self) -> None:
        """A call whose price nobody knows has none of the cost keys."""
        assert not [key for key in values(replace(DOCUMENTED, cost=None)) if "cost" in key and "metadata" not in key]

    def test_shares_of_a_known_cost(self) -> None:
        """Where only the total is known, only the total is said."""
        costs = {
            key: value
            for key, value in values(replace(PLAIN, cost=Cost(total=Decimal("0.5"), source="gateway"))).items()
            if "cost" in key
        }
        assert {
            "ramp.cost.source": "gateway",
            "gen_ai.usage.total_cost": Decimal("0.5"),
            "gen_ai.usage.cost.amount": Decimal("0.5"),
            "gen_ai.usage.cost.currency": "USD",
            "gen_ai.usage.cost.source": "provider",
        } == costs

    @pytest.mark.parametrize(
        ("source", "conventional"),
        [("provider", "provider"), ("gateway", "provider"), ("price_table", "local"), ("custom", "local")],
    )
    @pytest.mark.parametrize("dialect", ["openrouter", "semconv"])
    def test_who_said_so(self, source: Any, conventional: str, dialect: str) -> None:
        """OpenTelemetry tells what was received with an answer from what was reckoned."""
        sent = values(replace(PLAIN, cost=Cost(total=Decimal("0.5"), source=source)), dialect=dialect)
        assert (source, conventional) == (sent["ramp.cost.source"], sent["gen_ai.usage.cost.source"])

    def test_zero_is_a_measurement(self) -> None:
        """Counts and costs that are 0 are sent as 0."""
        free = Cost(total=Decimal(0), input=Decimal(0), output=Decimal("0.00"), source="provider")
        counts = Usage(input_tokens=0, output_tokens=0, total_tokens=0, cache_read_tokens=0)
        sent = export_one(replace(PLAIN, usage=counts, cost=free)).attributes
        assert ("intValue", 0) == sent["gen_ai.usage.input_tokens"]
        assert ("intValue", 0) == sent["gen_ai.usage.output_tokens"]
        assert ("intValue", 0) == sent["gen_ai.usage.input_tokens.cached"]
        assert ("doubleValue", 0) == sent["gen_ai.usage.total_cost"]
        assert ("doubleValue", 0) == sent["gen_ai.usage.input_cost"]
        assert ("doubleValue", 0) == sent["gen_ai.usage.output_cost"]

    def test_no_total_is_made_up(self) -> None:
        """A total that the provider did not give is not computed."""
        assert "gen_ai.usage.total_tokens" not in values(replace(PLAIN, usage=Usage(input_tokens=1, output_tokens=2)))


class TestMoney:
    @settings(max_examples=300, deadline=None)
    @given(st.decimals(min_value=0, max_value=10**10 - 1, places=10), st.sampled_from(["openrouter", "semconv"]))
    def test_is_exact(self, amount: Decimal, dialect: str) -> None:
        """An amount of up to ten places reads back as the same decimal, digit by digit."""
        cost = Cost(total=amount, input=amount, output=amount, source="provider")
        sent = export_one(replace(PLAIN, cost=cost), dialect=dialect).attributes
        for key in ("gen_ai.usage.input_cost", "gen_ai.usage.output_cost", "gen_ai.usage.total_cost"):
            assert ("doubleValue", amount) == sent[key]

    @pytest.mark.parametrize(
        ("given", "sent"),
        [
            ("0.1000000000", "0.1"),
            ("0.30000000000000004", "0.3"),
            ("0.00000000005", "0"),  # half to even
            ("0.00000000015", "0.0000000002"),
            ("1E-7", "0.0000001"),
            ("1E+3", "1000"),
            ("12345678901234567890.1234567891", "12345678901234567890.1234567891"),
        ],
    )
    def test_is_quantised_to_ten_places(self, given: str, sent: str) -> None:
        """Amounts are rounded to Ramp's ten places once, and written without an exponent."""
        assert (
            Decimal(sent)
            == values(replace(PLAIN, cost=Cost(total=Decimal(given), source="custom")))["gen_ai.usage.total_cost"]
        )

    @pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+999999"])
    def test_no_amount_is_no_cost(self, amount: str) -> None:
        """What is no amount of money is an unknown cost, shares included."""
        cost = Cost(total=Decimal(amount), input=Decimal(1), output=Decimal(1), source="provider")
        assert not [key for key in values(replace(PLAIN, cost=cost)) if key.endswith("_cost")]


class TestUsage:
    def test_counts_beyond_64_bits_are_text(self) -> None:
        """An integer that OTLP cannot hold travels as text; the others are not harmed."""
        sent = export_one(replace(PLAIN, usage=Usage(input_tokens=2**70, output_tokens=2**63 - 1))).attributes
        assert ("stringValue", str(2**70)) == sent["gen_ai.usage.input_tokens"]
        assert ("intValue", 2**63 - 1) == sent["gen_ai.usage.output_tokens"]

    def test_estimates_say_so(self) -> None:
        """``ramp.usage.estimated`` and ``ramp.usage.pending`` are there only when true."""
        flags = {"ramp.usage.estimated", "ramp.usage.pending"}
        assert not flags & values(DOCUMENTED).keys()
        sent = values(replace(PLAIN, pending=True, usage=Usage(estimated=True)))
        assert {"ramp.usage.estimated": True, "ramp.usage.pending": True} == {key: sent[key] for key in flags}

    def test_hosted_tools(self) -> None:
        """Calls of hosted tools are JSON text by kind."""
        assert '{"web_search_call":2}' == values(FULL)["ramp.usage.hosted_tool_calls"]


class TestTimes:
    def test_of_a_first_token(self) -> None:
        """Times to the first token and between tokens are in milliseconds, and in OpenTelemetry's seconds."""
        sent = values(DOCUMENTED)
        assert 512 == sent["trace.metadata.openrouter.first_token_ms"]
        assert pytest.approx(1330 / 117) == float(sent["trace.metadata.openrouter.inter_token_latency_ms"])
        assert Decimal("0.512") == sent["gen_ai.response.time_to_first_chunk"]

    def test_of_clocks_that_ran_backwards(self) -> None:
        """A first chunk before the start is not reported, and a span never ends before it starts."""
        timing = Timing(started=ENDED, ended=STARTED, first_chunk=STARTED)
        sent = export_one(replace(DOCUMENTED, timing=timing))
        assert str(ENDED) == sent.span["startTimeUnixNano"] == sent.span["endTimeUnixNano"]
        assert "gen_ai.response.time_to_first_chunk" not in sent.values

    @pytest.mark.parametrize("instant", [-1, 2**64])
    def test_that_otlp_cannot_hold(self, instant: int) -> None:
        """An instant out of range is moved into it."""
        timing = Timing(started=UnixNanos(instant), ended=UnixNanos(instant))
        assert 0 <= int(export_one(replace(PLAIN, timing=timing)).span["startTimeUnixNano"]) < 2**64

    def test_between_tokens_of_short_answers(self) -> None:
        """With fewer than two tokens there is no time between them."""
        one = replace(DOCUMENTED, usage=Usage(output_tokens=1))
        assert "trace.metadata.openrouter.inter_token_latency_ms" not in values(one)


class TestFailure:
    failed = replace(
        PLAIN, failure=Failure(type="RateLimitError", message="You said: hello", status_code=429, code="quota")
    )

    def test_span(self) -> None:
        """A failed call has status 2, a message and one exception event at its end."""
        span = export_one(self.failed).span
        assert {"code": 2, "message": "You said: hello"} == span["status"]
        [event] = span["events"]
        assert ("exception", str(ENDED)) == (event["name"], event["timeUnixNano"])
        assert [
            {"key": "exception.type", "value": {"stringValue": "RateLimitError"}},
            {"key": "exception.message", "value": {"stringValue": "You said: hello"}},
        ] == event["attributes"]

    def test_attributes(self) -> None:
        """A failed call says its level, message, status and code."""
        sent = values(self.failed)
        assert ("ERROR", "You said: hello", "429", "quota") == tuple(
            sent[key] for key in ("span.level", "span.status_message", "error.type", "ramp.error.code")
        )

    def test_without_an_answer(self) -> None:
        """Where there was no answer the type of the error stands for its status."""
        failed = replace(PLAIN, failure=Failure(type="APIConnectionError"))
        assert "APIConnectionError" == values(failed)["error.type"]
        assert {"code": 2, "message": "APIConnectionError"} == export_one(failed).span["status"]

    def test_in_privacy_mode(self) -> None:
        """In privacy mode type and status stand for the provider's words, in every place."""
        sent = export_one(self.failed, privacy_mode=True)
        assert {"code": 2, "message": "RateLimitError (HTTP 429)"} == sent.span["status"]
        assert "RateLimitError (HTTP 429)" == sent.values["span.status_message"]
        assert "hello" not in json.dumps(sent.span, default=str)

    def test_long_message(self) -> None:
        """A failure's message, which may be an HTML page, is cut."""
        failed = replace(PLAIN, failure=Failure(type="Error", message="x" * 100_000))
        assert 4096 == len(values(failed)["span.status_message"])

    def test_usage_survives(self) -> None:
        """A billed call that failed keeps its usage and its cost."""
        sent = values(replace(DOCUMENTED, failure=Failure(type="LengthFinishReasonError")))
        assert (42, Decimal("0.001285")) == (sent["gen_ai.usage.input_tokens"], sent["gen_ai.usage.total_cost"])


class TestIdentity:
    def test_replayed_answer(self) -> None:
        """A response id that is not the generation's is kept beside it."""
        sent = values(replace(PLAIN, response_id="chatcmpl-1"))
        assert (PLAIN.id, "chatcmpl-1") == (sent["gen_ai.response.id"], sent["trace.metadata.provider_response_id"])
        assert "trace.metadata.provider_response_id" not in values(replace(PLAIN, response_id=PLAIN.id))

    @pytest.mark.parametrize(("key", "field"), [("user.id", "user"), ("session.id", "session_id")])
    def test_long_ids(self, key: str, field: str, caplog: pytest.LogCaptureFixture) -> None:
        """User and session are cut at 128 characters, with one warning."""
        generation = replace(PLAIN, attribution=replace(Attribution(), **{field: "é" * 129}))
        with caplog.at_level(logging.WARNING, "ramp_tracing"):
            assert "é" * 128 == values(generation)[key]
            export(generation)
        assert [f"{key} was cut at 128 characters"] == caplog.messages

    def test_retries(self) -> None:
        """Retries are reported when there were some."""
        assert 2 == values(FULL)["http.request.resend_count"]
        assert "http.request.resend_count" not in values(replace(PLAIN, retries=0))

    def test_who_served(self) -> None:
        """The upstream provider and its finish reason are named; else the provider and the first finish reason."""
        keys = ("trace.metadata.openrouter.provider_name", "trace.metadata.openrouter.finish_reason")
        routed = replace(DOCUMENTED, upstream_provider="Amazon Bedrock", native_finish_reason="end_turn")
        direct = replace(DOCUMENTED, upstream_provider=None, native_finish_reason=None, provider="groq")
        assert ("Amazon Bedrock", "end_turn") == tuple(values(routed)[key] for key in keys)
        assert ("groq", "stop") == tuple(values(direct)[key] for key in keys)

    def test_service_tier(self) -> None:
        """The tier is reported for everybody, and under OpenAI's own key for OpenAI."""
        other = replace(PLAIN, provider="groq", service_tier="on_demand")
        assert "flex" == values(FULL)["gen_ai.openai.response.service_tier"]
        assert "flex" == values(FULL, dialect="semconv")["openai.response.service_tier"]
        assert "on_demand" == values(other)["gen_ai.response.service_tier"]
        assert "gen_ai.openai.response.service_tier" not in values(other)


class TestMetadata:
    def test_types(self) -> None:
        """Scalars keep their type, containers are JSON text, nulls are left out; every key is sent under two names."""
        sent = export_one(with_metadata(a="x", b=7, c=0.5, d=True, e=[1, {"f": None}], g=None)).attributes
        wanted = {
            "a": ("stringValue", "x"),
            "b": ("intValue", 7),
            "c": ("doubleValue", Decimal("0.5")),
            "d": ("boolValue", True),
            "e": ("stringValue", '[1,{"f":null}]'),
        }
        for prefix in ("trace.metadata.", "span.metadata."):
            assert wanted == {key.removeprefix(prefix): pair for key, pair in sent.items() if key.startswith(prefix)}

    @pytest.mark.parametrize("key", ["trace_id", "trace_name", "span_name", "generation_name", "parent_span_id"])
    def test_reserved_keys(self, key: str) -> None:
        """The five keys of a trace that have attributes of their own are no metadata."""
        assert not [name for name in values(with_metadata(**{key: "x"})) if name.endswith(f".metadata.{key}")]

    def test_cannot_replace_ours(self) -> None:
        """A key of the user's never stands in the place of one of ours, known or unknown."""
        taken = [key.removeprefix("trace.metadata.") for key in OPENROUTER if key.startswith("trace.metadata.")]
        forged = values(with_metadata(**dict.fromkeys(taken, "forged")))
        assert not [key for key in forged if key.startswith("trace.metadata.")]
        assert 5 <= len([key for key in forged if key.startswith("span.metadata.")])

    def test_bounds(self, caplog: pytest.LogCaptureFixture) -> None:
        """64 keys, 256 characters a key, 4 kB a value; what is too much costs one warning and nothing else."""
        generation = replace(
            PLAIN, attribution=Attribution(metadata={"k" * 300: "é" * 5000} | {f"{n}": n for n in range(100)})
        )
        with caplog.at_level(logging.WARNING, "ramp_tracing"):
            sent = {key: value for key, value in values(generation).items() if key.startswith("trace.metadata.")}
        assert 64 == len(sent)
        [(key, value)] = [(key, value) for key, value in sent.items() if "kkk" in key]
        assert len("trace.metadata.") + 256 == len(key)
        assert "é" * 2048 == value
        assert ["only the first 64 keys of metadata were sent"] == caplog.messages

    def test_poison(self) -> None:
        """Values that JSON cannot hold are sent as text and raise nothing."""
        loop: list[object] = []
        loop.append(loop)
        poison = {
            "nan": float("nan"),
            "inf": float("-inf"),
            "big": 2**70,
            "half": "\ud800",
            "loop": loop,
            "key\ud800": 1,
        }
        sent = export_one(with_metadata(**poison)).attributes
        metadata = {key: pair for key, pair in sent.items() if key.startswith("trace.metadata.")}
        assert len(poison) == len(metadata)
        assert {"stringValue", "intValue"} == {kind for kind, _ in metadata.values()}
        assert ("stringValue", str(2**70)) == sent["trace.metadata.big"]


class TestPoison:
    def test_texts_with_half_a_surrogate_pair(self) -> None:
        """Text that UTF-8 cannot encode is repaired wherever it stands."""
        bad = "x\ud800"
        generation = replace(
            PLAIN,
            id=bad,  # type: ignore[arg-type]
            request_model=bad,
            finish_reasons=(bad,),
            failure=Failure(type=bad, message=bad, code=bad),
            attribution=Attribution(user=bad, trace_id=bad, trace_name=bad, span_name=bad, generation_name=bad),
            content=Content(input={"messages": bad}, output=bad),
        )
        for dialect in ("openrouter", "semconv"):
            for protocol in ("http/json", "http/protobuf"):
                encoder = Encoder(ExportSettings(dialect=dialect, protocol=protocol))
                assert encoder.body([encoder.prepare(generation)]).decode(errors="replace").count("\ufffd") > 5

    def test_values_of_the_wrong_type(self) -> None:
        """A record that is not what its types say is still sent."""

        class Odd:
            def __str__(self) -> str:
                raise AssertionError("no code of the application's is run")

            __repr__ = __str__

        generation = replace(PLAIN, provider=None, request_model=None, service_tier=Odd(), upstream_provider=["a"])
        sent = values(generation)
        assert "Odd" in sent["gen_ai.response.service_tier"]
        assert '["a"]' == sent["trace.metadata.openrouter.provider_name"]

    def test_parameters_that_are_no_numbers(self) -> None:
        """Request parameters that have no number are left out."""
        odd = {"temperature": float("nan"), "top_p": "high", "max_tokens": 1.5, "seed": float("inf"), "n": True}
        assert not [key for key in values(replace(PLAIN, parameters=odd)) if key.startswith("gen_ai.request.")]

    def test_long_names(self) -> None:
        """The name of a model is as long as a server likes, but not here."""
        assert 4096 == len(values(replace(PLAIN, response_model="m" * 10**6))["gen_ai.response.model"])


class TestConventions:
    """What OpenTelemetry's GenAI conventions want."""

    failed = replace(PLAIN, request_model="gpt-4o", failure=Failure(type="APIConnectionError"))

    def test_names_kinds_and_status(self) -> None:
        """Operation and model, a client's span below internal ones; a status only where something failed."""
        own, middle, root = export(replace(FULL, failure=None), dialect="semconv")
        assert ["chat openai/gpt-4o", "Read", "Expense Processing Pipeline"] == [
            each.span["name"] for each in (own, middle, root)
        ]
        assert [3, 1, 1] == [each.span["kind"] for each in (own, middle, root)]
        assert [0, 0, 0] == [each.span["status"]["code"] for each in (own, middle, root)]
        assert 2 == export_one(self.failed, dialect="semconv").span["status"]["code"]

    def test_name_without_a_model(self) -> None:
        """The operation alone."""
        assert "chat" == export_one(PLAIN, dialect="semconv").span["name"]

    def test_finish_reason_of_a_failure(self) -> None:
        """What failed before there was a reason ended with ``error``; an embedding has no reason to give."""
        key = "gen_ai.response.finish_reasons"
        assert {"values": [{"stringValue": "error"}]} == values(self.failed, dialect="semconv")[key]
        cut = replace(self.failed, finish_reasons=("length",))
        assert {"values": [{"stringValue": "length"}]} == values(cut, dialect="semconv")[key]
        assert key not in values(replace(self.failed, operation="embeddings"), dialect="semconv")
        assert key not in values(PLAIN, dialect="semconv")
        assert key not in values(self.failed)

    def test_cache_writes_go_by_both_names(self) -> None:
        """There are backends that read only the former one, and some that prefer the present one."""
        sent = values(FULL, dialect="semconv")
        assert 2 == sent["gen_ai.usage.cache_write.input_tokens"] == sent["gen_ai.usage.cache_creation.input_tokens"]

    def test_parts_of_the_usage(self) -> None:
        """By kind of content, each a part of the whole."""
        sent = values(FULL, dialect="semconv")
        parts = ("audio.input", "image.input", "audio.cache_read.input", "image.cache_read.input", "audio.output")
        assert [4, 6, 14, 15, 5] == [sent[f"gen_ai.usage.{part}_tokens"] for part in parts]

    def test_top_k_is_a_whole_number(self) -> None:
        """It counts tokens."""
        assert ("intValue", 40) == export_one(FULL, dialect="semconv").attributes["gen_ai.request.top_k"]


class TestTables:
    def test_money_comes_last(self) -> None:
        """Nothing stands behind the cost keys, so nothing can replace them."""
        money = ["gen_ai.usage.input_cost", "gen_ai.usage.output_cost", "gen_ai.usage.total_cost"]
        assert money == list(OPENROUTER)[-3:] == list(SEMCONV)[-3:]
        assert money == list(values(DOCUMENTED))[-3:]

    @pytest.mark.parametrize(("dialect", "table"), [("openrouter", OPENROUTER), ("semconv", SEMCONV)])
    def test_a_full_record_has_every_key(self, dialect: str, table: dict[str, object]) -> None:
        """Each row of a table is reached by a record in which everything is known."""
        assert table.keys() == {key for key in values(FULL, dialect=dialect) if key in table}

    def test_no_key_begins_another(self) -> None:
        """In the conventions' dialect no key is the beginning of another one."""
        keys = sorted(SEMCONV)
        assert not [(one, other) for one in keys for other in keys if other.startswith(f"{one}.")]

    def test_openrouter_has_no_arrays(self) -> None:
        """Lists and objects are JSON text in Broadcast's dialect; the conventions want an array of finish reasons."""
        kinds = {kind for kind, _ in export_one(FULL).attributes.values()}
        assert {"stringValue", "intValue", "doubleValue", "boolValue"} == kinds
        kind, value = export_one(FULL, dialect="semconv").attributes["gen_ai.response.finish_reasons"]
        assert ("arrayValue", {"values": [{"stringValue": "stop"}]}) == (kind, value)
