"""The command line as a whole."""

import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from ramp_tracing._version import __version__
from ramp_tracing.cli._app import build_app


def test_lists_its_commands() -> None:
    """The help names every command."""
    result = CliRunner().invoke(build_app(), ["--help"])
    assert result.exit_code == 0
    assert "check" in result.stdout
    assert "demo" in result.stdout


def test_shows_its_version() -> None:
    """``--version`` prints the version alone."""
    result = CliRunner().invoke(build_app(), ["--version"])
    assert (result.exit_code, result.stdout) == (0, __version__ + "\n")


def test_loads_no_client() -> None:
    """Showing the help loads neither the openai client nor OpenTelemetry."""
    script = (
        "import sys; from ramp_tracing.cli._app import build_app\n"
        "build_app()(['--help'], standalone_mode=False)\n"
        "assert not {'openai', 'opentelemetry', 'google.protobuf', 'genai_prices'} & sys.modules.keys()"
    )
    source = str(Path(__file__).parents[2] / "src")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {source!r})\n{script}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
