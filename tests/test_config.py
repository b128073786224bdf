import copy
import pickle
import traceback
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest
import trustme

from ramp_tracing._config import DEFAULT_BASE_URL, Config, Secret, resolve
from ramp_tracing._config._options import OPTIONS
from ramp_tracing.exceptions import ConfigurationError

KEY = "ramp_key_that_nobody_may_see_0001"
NOTHING: Mapping[str, str] = {}


class Exporter:
    def export(self, spans: object) -> None:
        pass


def error_of(options: Mapping[str, object], environ: Mapping[str, str] = NOTHING) -> str:
    with pytest.raises(ConfigurationError) as caught:
        resolve({"api_key": KEY, **options}, environ)
    return str(caught.value)


def test_each_option_is_a_field_and_the_other_way_round() -> None:
    """The table and the record name the same things."""
    assert [each.name for each in fields(Config)] == list(OPTIONS)


def test_defaults() -> None:
    """A key is all that is needed; the rest is as documented."""
    config = resolve({"api_key": KEY}, NOTHING)
    assert config == Config(
        api_key=Secret(KEY),
        client_id=None,
        client_secret=None,
        token_url=None,
        base_url=DEFAULT_BASE_URL,
        headers={},
        privacy_mode=False,
        protocol="http/json",
        dialect="openrouter",
        service_name="ramp-tracing",
        service_version=None,
        stream_usage="auto",
        spans="named",
        trace={},
        providers={},
        prices=None,
        exclude_providers=frozenset(),
        allow_api_keys=None,
        filter=None,
        sampling_rate=1.0,
        content_sampling_rate=1.0,
        timeout_seconds=10.0,
        exit_timeout_seconds=2.0,
        max_batch_spans=50,
        max_batch_bytes=1 << 20,
        compression=None,
        state_dir=None,
        allow_insecure=False,
        ca_file=None,
        span_exporters=(),
        exporter_dialect="semconv",
        disabled=False,
    )


ENVIRONMENT = {
    "RAMP_API_KEY": KEY,
    "RAMP_BASE_URL": "https://demo-api.ramp.com/x",
    "RAMP_CLIENT_ID": "",
    "RAMP_CLIENT_SECRET": "",
    "RAMP_TOKEN_URL": "https://demo-api.ramp.com/token",
    "RAMP_HEADERS": '{"X-Team": "search"}',
    "RAMP_PRIVACY_MODE": "yes",
    "RAMP_TRACING_PROTOCOL": "http/protobuf",
    "RAMP_TRACING_DIALECT": "semconv",
    "OTEL_SERVICE_NAME": "shop",
    "RAMP_TRACING_SPANS": "all",
    "RAMP_TRACING_STREAM_USAGE": "never",
    "RAMP_TRACING_STATE_DIR": "/var/lib/shop",
    "RAMP_TRACING_PRICES": "",
    "RAMP_TRACING_EXCLUDE_PROVIDERS": "OpenRouter, azure.ai.openai,",
    "RAMP_TRACING_ALLOW_API_KEYS": f"{'0A' * 32},{'1b' * 32}",
    "RAMP_TRACING_SAMPLING_RATE": "0.5",
    "RAMP_TRACING_CONTENT_SAMPLING_RATE": "0",
    "RAMP_TRACING_CA_FILE": "",
    "RAMP_TRACING_DISABLED": "on",
}


def test_the_environment_gives_what_no_argument_gives() -> None:
    """Each variable reaches its option; the one that switches off goes before all others."""
    config = resolve({}, ENVIRONMENT | {"RAMP_TRACING_DISABLED": ""})
    assert (config.api_key, config.base_url) == (Secret(KEY), "https://demo-api.ramp.com/x")
    assert (config.headers, config.privacy_mode) == ({"X-Team": Secret("search")}, True)
    assert (config.protocol, config.dialect, config.service_name) == ("http/protobuf", "semconv", "shop")
    assert (config.stream_usage, config.state_dir, config.disabled) == ("never", "/var/lib/shop", False)
    assert config.exclude_providers == {"openrouter", "azure.ai.openai"}
    assert config.allow_api_keys == {"0a" * 32, "1b" * 32}
    assert (config.sampling_rate, config.content_sampling_rate) == (0.5, 0.0)
    assert resolve({}, ENVIRONMENT | {"RAMP_HEADERS": "nonsense"}).disabled


def test_variables_of_the_table_are_all_tested() -> None:
    """The environment above has every variable."""
    assert {row.variable for row in OPTIONS.values() if row.variable} == set(ENVIRONMENT)


COLLECTOR = "https://collector.example.com/v1/traces"
ELSEWHERE = {"dialect": "semconv", "protocol": "http/protobuf"}


def test_a_backend_of_ones_own_needs_no_key() -> None:
    """Many have none; the dialect says that it is not Ramp, and the address where it is."""
    assert resolve({**ELSEWHERE, "base_url": COLLECTOR}, NOTHING).api_key == Secret("")
    assert "" == repr(Secret(""))
    assert resolve({}, {"RAMP_TRACING_DIALECT": "semconv", "RAMP_BASE_URL": COLLECTOR}).api_key == Secret("")
    assert resolve({**ELSEWHERE, "base_url": COLLECTOR, "api_key": KEY}, NOTHING).api_key == Secret(KEY)


@pytest.mark.parametrize("options", [{**ELSEWHERE}, {"base_url": COLLECTOR}, {"dialect": "semconv"}])
def test_ramp_always_needs_one(options: dict[str, object]) -> None:
    """Without an address of one's own, and in Ramp's dialect."""
    with pytest.raises(ConfigurationError, match="there is no API key"):
        resolve(options, NOTHING)


def test_the_key_of_ramp_is_not_told_to_others() -> None:
    """Where the address of another backend stands in the code, RAMP_API_KEY is not for it."""
    assert resolve({**ELSEWHERE, "base_url": COLLECTOR}, {"RAMP_API_KEY": KEY}).api_key == Secret("")
    environment = {"RAMP_API_KEY": KEY, "RAMP_BASE_URL": COLLECTOR}
    assert resolve(ELSEWHERE, environment).api_key == Secret(KEY)
    assert resolve({"base_url": COLLECTOR}, {"RAMP_API_KEY": KEY}).api_key == Secret(KEY)
    unified = {"base_url": COLLECTOR, "dialect": "semconv", "protocol": "ramp/unified"}
    assert resolve(unified, {"RAMP_API_KEY": KEY}).api_key == Secret(KEY)


@pytest.mark.parametrize("host", ["ramp.com", "demo-api.ramp.com"])
def test_ramp_gets_its_key_in_every_dialect(host: str) -> None:
    """An address of Ramp's in the code is not another backend's: without a key nothing would be taken."""
    options = {**ELSEWHERE, "base_url": f"https://{host}/developer/v1/ai-usage/openrouter"}
    assert resolve(options, {"RAMP_API_KEY": KEY}).api_key == Secret(KEY)
    with pytest.raises(ConfigurationError, match="there is no API key"):
        resolve(options, NOTHING)


@pytest.mark.parametrize("host", ["ramp.com.example.com", "notramp.com"])
def test_a_host_that_looks_like_ramps_is_not_told_its_key(host: str) -> None:
    """Only what belongs to Ramp's domain is Ramp."""
    assert resolve({**ELSEWHERE, "base_url": f"https://{host}/"}, {"RAMP_API_KEY": KEY}).api_key == Secret("")


def test_an_argument_goes_over_the_environment() -> None:
    """Also where the environment holds nonsense."""
    config = resolve({"api_key": KEY, "privacy_mode": False}, {"RAMP_API_KEY": "two words", "RAMP_PRIVACY_MODE": "?"})
    assert (config.api_key, config.privacy_mode) == (Secret(KEY), False)


def test_an_empty_variable_and_none_are_not_given() -> None:
    """`RAMP_BASE_URL=` in a compose file means nothing."""
    config = resolve({"api_key": None, "dialect": None}, {"RAMP_API_KEY": KEY, "RAMP_BASE_URL": ""})
    assert (config.base_url, config.dialect) == (DEFAULT_BASE_URL, "openrouter")


@pytest.mark.parametrize("text", ["1", "true", "YES", " on "])
def test_words_for_true(text: str) -> None:
    """Environments spell booleans in four ways."""
    assert resolve({"api_key": KEY}, {"RAMP_PRIVACY_MODE": text}).privacy_mode is True


@pytest.mark.parametrize("text", ["0", "False", "no", "off"])
def test_words_for_false(text: str) -> None:
    """Environments spell booleans in four ways."""
    assert resolve({"api_key": KEY}, {"RAMP_PRIVACY_MODE": text}).privacy_mode is False


def test_a_missing_key_is_an_error_that_names_the_variable() -> None:
    """Without a key nothing would ever arrive."""
    with pytest.raises(ConfigurationError, match="set the environment variable RAMP_API_KEY, or pass api_key="):
        resolve({}, NOTHING)


def test_no_key_is_needed_where_everything_is_off() -> None:
    """Continuous integration sets RAMP_TRACING_DISABLED and has no key."""
    assert resolve({}, {"RAMP_TRACING_DISABLED": "1"}).disabled is True


def test_the_address_is_kept_as_given() -> None:
    """Nothing is appended, cut off or normalised."""
    url = "https://Collector.Example.com:8443/v1/traces/?tenant=a%20b"
    assert resolve({"api_key": KEY, "base_url": url}, NOTHING).base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:4318/v1/traces",
        "http://127.0.0.1/x",
        "http://127.8.8.8",
        "http://127.1:80",
        "http://[::1]:4318/",
        "http://[::ffff:127.0.0.1]/",
        "http://api.localhost/",
    ],
)
def test_plain_http_is_allowed_to_this_machine(url: str) -> None:
    """No key leaves the machine."""
    assert resolve({"api_key": KEY, "base_url": url}, NOTHING).base_url == url


@pytest.mark.parametrize("host", ["api.ramp.com", "10.0.0.7", "localhost.example.com", "0.0.0.0", "127.0.0.1.example"])
def test_plain_http_to_another_machine_is_refused(host: str) -> None:
    """The key would travel in the clear."""
    assert "use https, or allow_insecure=True" in error_of({"base_url": f"http://{host}/x"})


def test_plain_http_to_another_machine_can_be_allowed() -> None:
    """Inside a network that is trusted."""
    config = resolve({"api_key": KEY, "base_url": "http://collector:4318", "allow_insecure": True}, NOTHING)
    assert config.base_url == "http://collector:4318"


@pytest.mark.parametrize(
    ("url", "fix"),
    [
        ("api.ramp.com/x", "it must begin with https://"),
        ("ftp://api.ramp.com", "it must begin with https://"),
        ("https://", "it names no host"),
        ("https:///path", "it names no host"),
        (f"https://{'a' * 64}.example.com/", "it names no host"),
        (f"https://user:{KEY}@api.ramp.com/", "the key goes into api_key"),
        ("https://api.ramp.com:99999/", "check brackets and port"),
        ("https://api.ramp.com:port/", "check brackets and port"),
        ("https://[::1/", "check brackets and port"),
        ("https://api.ramp.com/#here", "#fragment"),
        ("https://api.ramp.com/a b", "without spaces, line breaks"),
        ("https://api.ramp.com/\r\nX: y", "without spaces, line breaks"),
        ("https://bücher.example/", "without spaces, line breaks"),
        ("", "without spaces, line breaks"),
        (7, "without spaces, line breaks"),
        ("http://169.254.169.254/latest", "link-local"),
        ("https://169.254.0.1/", "link-local"),
        ("http://2852039166/", "link-local"),
        ("http://0xa9fea9fe/", "link-local"),
        ("http://[::ffff:169.254.169.254]/", "link-local"),
        ("http://[fe80::1%25eth0]/", "link-local"),
    ],
)
def test_addresses_that_are_refused(url: object, fix: str) -> None:
    """The error names the option and says what to change, and quotes nothing."""
    error = error_of({"base_url": url, "allow_insecure": True})
    assert error.startswith("base_url cannot be used: ")
    assert fix in error
    assert KEY not in error


@pytest.mark.parametrize(
    ("options", "fix"),
    [
        ({"api_key": "two words"}, "copy the key again"),
        ({"api_key": "ramp_x\r\nX-Other: y"}, "line break"),
        ({"api_key": "ramp_x\n"}, "line break"),
        ({"api_key": "ramp_é"}, "copy the key again"),
        ({"api_key": f"Bearer {KEY}"}, 'without "Bearer"'),
        ({"api_key": "  "}, "give a text"),
        ({"api_key": 7}, "give a text"),
        ({"headers": "X-Team: search"}, "give a mapping"),
        ({"headers": {"X Team": "a"}}, "not a token"),
        ({"headers": {"X-Team\r\nX-Other": "a"}}, "not a token"),
        ({"headers": {"": "a"}}, "not a token"),
        ({"headers": {7: "a"}}, "not a token"),
        ({"headers": {"X-Team": 7}}, "the value of X-Team is not a text"),
        ({"headers": {"X-Team": "a\r\nX-Other: b"}}, "holds a line break"),
        ({"headers": {"X-Team": "a\nb"}}, "holds a line break"),
        ({"headers": {"X-Team": "a\0"}}, "holds a line break"),
        ({"headers": {"X-Team": "é"}}, "outside ASCII"),
        ({"headers": {"X-Team": "a", "x-team": "b"}}, "given twice"),
        ({"headers": {"Host": "a"}}, "belongs to the connection"),
        ({"headers": {"Content-Length": "3"}}, "belongs to the connection"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "belongs to the connection"),
        ({"headers": {"Content-Type": "a"}}, "follows from `protocol`"),
        ({"headers": {"authorization": KEY}}, "made from api_key"),
        ({"headers": {"Idempotency-Key": "a"}}, "made for each request"),
        ({"headers": {"X-Test-Connection": "true"}}, "keep every call out of the usage"),
        ({"privacy_mode": "yes"}, "give True or False"),
        ({"privacy_mode": 1}, "give True or False"),
        ({"protocol": "grpc"}, "use one of http/json, http/protobuf"),
        ({"dialect": "ramp"}, "use one of openrouter, semconv"),
        ({"exporter_dialect": "ramp"}, "use one of semconv, openrouter"),
        ({"stream_usage": True}, "use one of auto, always, never"),
        ({"spans": "every"}, "use one of named, all"),
        ({"compression": "zstd"}, "use one of gzip"),
        ({"service_name": ""}, "give a text"),
        ({"service_name": "a\nb"}, "control character"),
        ({"service_version": 3}, "give a text"),
        ({"trace": "team"}, "give a mapping"),
        ({"trace": {1: "x"}}, "keys must be texts"),
        ({"providers": {"https://llm.example.com": "openai"}}, "without scheme and path"),
        ({"providers": {"llm.example.com": ""}}, "is not a text"),
        ({"providers": ["llm.example.com"]}, "give a mapping"),
        ({"timeout_seconds": 0}, "from 0.1 to 300"),
        ({"timeout_seconds": float("nan")}, "from 0.1 to 300"),
        ({"timeout_seconds": float("inf")}, "from 0.1 to 300"),
        ({"timeout_seconds": True}, "from 0.1 to 300"),
        ({"timeout_seconds": "10"}, "from 0.1 to 300"),
        ({"exit_timeout_seconds": -1}, "from 0 to 300"),
        ({"max_batch_spans": 0}, "a whole number from 1 to"),
        ({"max_batch_spans": 1.5}, "a whole number from 1 to"),
        ({"max_batch_bytes": 10}, "a whole number from 1024 to"),
        ({"allow_insecure": "true"}, "give True or False"),
        ({"ca_file": "/there/is/no/such/file.pem"}, "cannot be read"),
        ({"ca_file": 7}, "the path of a PEM file"),
        ({"state_dir": 7}, "the path of a directory"),
        ({"state_dir": " "}, "the path of a directory"),
        ({"state_dir": "/var\0/lib"}, "the path of a directory"),
        ({"span_exporters": Exporter()}, "give a list or tuple"),
        ({"span_exporters": [object()]}, "the methods of an OpenTelemetry SpanExporter"),
        ({"exclude_providers": "openrouter"}, "give a list or tuple of texts"),
        ({"exclude_providers": [""]}, "the name of a provider"),
        ({"exclude_providers": [7]}, "each of them must be a text"),
        ({"allow_api_keys": []}, "leave it out to allow every key"),
        ({"allow_api_keys": ["sk-a-key-itself"]}, "never a key itself"),
        ({"filter": "openai"}, "give a function"),
        ({"sampling_rate": 0}, "use `disabled`"),
        ({"sampling_rate": 1.1}, "a share from 0 to 1"),
        ({"sampling_rate": True}, "a share from 0 to 1"),
        ({"content_sampling_rate": float("nan")}, "a share from 0 to 1"),
        ({"client_id": "two words"}, "no client id has"),
        ({"token_url": "ftp://tokens.example.com"}, "it must begin with https://"),
    ],
)
def test_values_that_are_refused(options: Mapping[str, object], fix: str) -> None:
    """The error names the option and says what to change, and quotes no value."""
    error = error_of(options)
    assert error.startswith(f"{next(iter(options))} cannot be used: ")
    assert fix in error
    assert KEY not in error


@pytest.mark.parametrize(
    ("variable", "text", "fix"),
    [
        ("RAMP_API_KEY", "ramp_key with spaces", "copy the key again"),
        ("RAMP_BASE_URL", "api.ramp.com", "must begin with https://"),
        ("RAMP_HEADERS", "X-Team: search", "it is not JSON"),
        ("RAMP_HEADERS", '["X-Team"]', "give a mapping"),
        ("RAMP_HEADERS", '{"X-Team": 7}', "put it in quotation marks"),
        ("RAMP_PRIVACY_MODE", "maybe", "use one of 1, true, yes, on"),
        ("RAMP_TRACING_PROTOCOL", "grpc", "use one of http/json"),
        ("RAMP_TRACING_DIALECT", "otel", "use one of openrouter"),
        ("RAMP_TRACING_STREAM_USAGE", "1", "use one of auto"),
        ("RAMP_TRACING_DISABLED", "2", "use one of 1, true, yes, on"),
    ],
)
def test_variables_that_are_refused(variable: str, text: str, fix: str) -> None:
    """The error names the variable, because that is where the value stands."""
    with pytest.raises(ConfigurationError) as caught:
        resolve({} if variable == "RAMP_API_KEY" else {"api_key": KEY}, {variable: text})
    assert str(caught.value).startswith(f"{variable} cannot be used: ")
    assert fix in str(caught.value)
    assert text not in str(caught.value)


def test_an_unknown_option_is_refused_with_the_nearest_one() -> None:
    """A slip of the pen would otherwise be privacy that is not on."""
    assert "there is no option 'privacy'; did you mean privacy_mode?" in error_of({"privacy": True})


def test_what_is_kept_cannot_be_changed_afterwards() -> None:
    """Neither through the object that was passed in nor through the configuration."""
    trace: dict[str, object] = {"department": "finance"}
    config = resolve({"api_key": KEY, "trace": trace}, NOTHING)
    trace["department"] = "sales"
    assert config.trace == {"department": "finance"}
    with pytest.raises(TypeError):
        config.trace["department"] = "sales"  # type: ignore[index]


def test_providers_are_found_whatever_their_case() -> None:
    """Host names do not differ by case."""
    config = resolve({"api_key": KEY, "providers": {"LLM.Example.com:8443": "openai"}}, NOTHING)
    assert config.providers == {"llm.example.com:8443": "openai"}


def test_exporters_become_a_tuple() -> None:
    """A list is as good."""
    exporter = Exporter()
    assert resolve({"api_key": KEY, "span_exporters": [exporter]}, NOTHING).span_exporters == (exporter,)


def test_a_ca_file_is_loaded_once_to_be_sure() -> None:
    """A good one is kept as a path."""
    with trustme.CA().cert_pem.tempfile() as path:
        assert resolve({"api_key": KEY, "ca_file": path}, NOTHING).ca_file == path
        assert resolve({"api_key": KEY}, {"RAMP_TRACING_CA_FILE": path}).ca_file == path


def test_the_place_of_the_journal_does_not_depend_on_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path is one from where the application is set up, and ``~`` is its user's home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/shop")
    assert resolve({"api_key": KEY, "state_dir": "spool"}, NOTHING).state_dir == str(tmp_path / "spool")
    assert resolve({"api_key": KEY}, {"RAMP_TRACING_STATE_DIR": "~/spool"}).state_dir == "/home/shop/spool"
    assert resolve({"api_key": KEY, "state_dir": tmp_path}, NOTHING).state_dir == str(tmp_path)


def test_a_relative_place_needs_a_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was deleted is said as every other mistake is; an absolute path does without."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigurationError, match=r"state_dir cannot be used: .* working directory is gone"):
        resolve({"api_key": KEY, "state_dir": "spool"}, NOTHING)
    assert resolve({"api_key": KEY, "state_dir": tmp_path}, NOTHING).state_dir == str(tmp_path)


def test_a_file_without_a_certificate_is_no_ca_file() -> None:
    """It would be found out with the first request otherwise."""
    assert "holds no certificate" in error_of({"ca_file": __file__})


def test_no_way_of_showing_a_configuration_shows_a_secret() -> None:
    """Neither the key nor a header's value, in any of the ways in which objects end up in logs."""
    config = resolve({"api_key": KEY, "headers": {"X-Token": KEY[::-1]}}, NOTHING)
    shown = [repr(config), str(config), f"{config.api_key} {config.headers}"]
    try:
        raise ValueError(config)
    except ValueError as error:
        shown += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    shown += [repr(copy.copy(config)), repr(config.api_key), str(config.headers["X-Token"])]
    assert not any(KEY in text or KEY[::-1] in text for text in shown)
    assert repr(config.api_key) == "ramp_…0001"


def test_a_short_secret_shows_nothing_at_all() -> None:
    """Nine characters of it would be most of it."""
    assert repr(Secret("ramp_short")) == "…"


def test_a_secret_cannot_be_pickled() -> None:
    """It would be readable in what goes to another process."""
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(KEY))
    with pytest.raises(TypeError):
        vars(Secret(KEY))


def test_a_secret_is_copied_as_itself() -> None:
    """Configurations may be copied."""
    secret = Secret(KEY)
    assert copy.deepcopy(secret) is secret
    assert (secret == Secret(KEY), secret == Secret("other"), hash(secret) == hash(Secret(KEY))) == (True, False, True)
    assert secret.reveal() == KEY


def test_a_share_in_the_environment_is_a_number() -> None:
    """And nothing else."""
    assert "it is no number" in error_of({}, {"RAMP_TRACING_SAMPLING_RATE": "half"})
