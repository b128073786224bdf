"""The public face: which names there are, and what importing them costs."""

import subprocess
import sys

import pytest

import ramp_tracing

PUBLIC = {
    "__version__", "aflush", "flush", "instrument", "record_generation", "shutdown", "stats", "test_connection",
    "trace", "uninstrument",
}  # fmt: skip

NEVER_LOADED = (
    "openai", "anthropic", "litellm", "langchain_core", "httpx", "opentelemetry.sdk", "google.protobuf", "genai_prices",
)  # fmt: skip


def test_public_names() -> None:
    """Exactly these, each of them loadable."""
    assert set(ramp_tracing.__all__) == PUBLIC
    assert set(dir(ramp_tracing)) == PUBLIC
    for name in PUBLIC:
        assert getattr(ramp_tracing, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As for every module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ramp_tracing.nothing  # noqa: B018


@pytest.mark.parametrize(
    "program",
    [
        "import ramp_tracing",
        "import ramp_tracing; ramp_tracing.instrument(api_key='ramp-test-key', base_url='http://127.0.0.1:9')",
        "import ramp_tracing\nwith ramp_tracing.trace(user='ada'): pass\nramp_tracing.record_generation(model='a')",
    ],
    ids=["import", "instrument", "trace"],
)
def test_nothing_heavy_is_loaded(program: str) -> None:
    """Neither the package nor instrument() imports a client library, the OpenTelemetry SDK, protobuf or the prices."""
    check = f"import sys\n{program}\nprint([name for name in {NEVER_LOADED!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=120, check=True)
    assert run.stdout.strip() == "[]"
    assert run.stderr == ""


def test_the_connection_test_is_no_test() -> None:
    """Pytest collects imported functions that are called test_…"""
    assert ramp_tracing.test_connection.__test__ is False  # type: ignore[attr-defined]
