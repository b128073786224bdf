"""
What CI runs, one session each, without nox being installed: `python3.11 dev.py test` (see dev.py).

Sessions install from the index that pip is set up for, into `.nox/` only.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Final

import nox

ROOT: Final = Path(__file__).parent
PROJECT: Final = nox.project.load_toml("pyproject.toml")

HERE: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The Python that runs nox: certainly there, so it gets every lane."""

NEWER: Final = [version for version in ("3.12", "3.13") if version != HERE]
"""Tested with the newest openai client where they exist."""

OF_THE_CLIENT: Final = [
    *("tests/cli", "tests/integrations", "tests/normalizers"),
    *(f"tests/test_{name}.py" for name in ("cassettes", "end_to_end", "examples", "exported_members", "sdk")),
]
"""What can differ between two versions of the openai client; the rest is tested with one of them."""

OF_THE_MACHINE: Final = [
    *(f"--ignore=tests/{name}" for name in ("backends", "faults", "page", "test_cassettes.py")),
]
"""All but what takes minutes and does not differ between two versions of Python."""

OF_THE_LANGUAGE: Final = [
    *("tests/delivery", "tests/integrations", "tests/journal"),
    *(f"tests/test_{name}.py" for name in ("end_to_end", "sdk", "tracing")),
]
"""Threads, forks, finalizers and wrapping: what can break on a version of Python between two that are tested."""

LANES: Final = [
    nox.param(HERE, 3, ["--ignore=tests/backends", "--ignore=tests/page"], id=f"{HERE}-openai3"),
    *[nox.param(HERE, major, OF_THE_CLIENT, id=f"{HERE}-openai{major}") for major in (1, 2)],
    *[nox.param(python, 3, OF_THE_LANGUAGE, id=f"{python}-openai3") for python in NEWER[:-1]],
    *[nox.param(python, 3, OF_THE_MACHINE, id=f"{python}-openai3") for python in NEWER[-1:]],
]

nox.needs_version = ">=2026.4"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
nox.options.sessions = [
    *("lint", "imports", "typecheck", "docs", "tests", "lowest", "package", "demo"),
    *("anthropic(2)", "proxy", "langchain"),
]


def uncover_pyenv() -> None:
    """
    Put pyenv's interpreters on PATH.

    Of the versions that are installed its shims run only those that `pyenv global` selects, and answer an error for
    the others, which looks like an interpreter that is there and broken.
    """
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders = [str(path) for python in NEWER for path in sorted(versions.glob(f"{python}.*/bin"))]
    os.environ["PATH"] = os.pathsep.join([*folders, os.environ.get("PATH", "")])


uncover_pyenv()


def group(name: str) -> list[str]:
    """The requirements of a dependency group of pyproject.toml."""
    return nox.project.dependency_groups(PROJECT, name)


SIDE_BY_SIDE: Final = ["--numprocesses=4", "--dist=loadgroup"]
"""Twice as many processes as CI has cores: many tests wait for a server or a child."""


UNSTEADY: Final = ROOT / "test-output" / "unsteady.txt"
"""Where tests/__main__.py notes tests that failed beside others and passed alone."""


def run_pytest(session: nox.Session, *arguments: str, openai_major: int | None = None) -> None:
    """
    Run pytest; what fails beside others runs once more, alone (tests/__main__.py).

    With *openai_major* the suite asserts that the openai client is of the major version that the lane is named for.
    """
    claim = {} if openai_major is None else {"RAMP_TRACING_TEST_OPENAI_MAJOR": str(openai_major)}
    session.run("python", "-m", "tests", *arguments, env=claim)
    if UNSTEADY.exists():
        session.notify("unsteady")


def run_tests(session: nox.Session, openai_major: int, selection: list[str]) -> None:
    """The tests of a lane, or those that were asked for."""
    run_pytest(session, *SIDE_BY_SIDE, *(session.posargs or selection), openai_major=openai_major)


@nox.session(python=False, default=False)
def unsteady(session: nox.Session) -> None:
    """Comes last if a test failed beside others and passed alone, and names it: a bug of ours, to be mended."""
    for name in sorted(set(UNSTEADY.read_text().splitlines())) if UNSTEADY.exists() else []:
        session.warn(f"UNSTEADY, failed beside others and passed alone: {name}")
    UNSTEADY.unlink(missing_ok=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def imports(session: nox.Session) -> None:
    """The floors of the house: who may import whom."""
    session.install(*group("imports"))
    session.run("lint-imports", env={"PYTHONPATH": "src"})


@nox.session
def typecheck(session: nox.Session) -> None:
    """Types, by mypy and pyright, both strict."""
    session.install("-e", ".[openai,local]", *group("typecheck"))
    session.run("mypy")
    session.run("pyright")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation as a site, in test-output/site; a link to nowhere, or a page that fetches something, fails."""
    session.install(*group("docs"))
    session.run("mkdocs", "build", "--strict", *session.posargs, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
@nox.parametrize("python,openai,selection", LANES)
def tests(session: nox.Session, openai: int, selection: list[str]) -> None:
    """The tests, with one major version of the openai client; arguments go to pytest instead of the lane's own."""
    session.install("-e", ".[local]", f"openai>={openai},<{openai + 1}", *group("test"))
    run_tests(session, openai, selection)


def tests_of(library: str) -> list[str]:
    """The files with tests of a library that is not in every environment, by their names."""
    folders = (ROOT / "tests" / name for name in ("integrations", "normalizers"))
    return sorted(str(file.relative_to(ROOT)) for folder in folders for file in folder.glob(f"test_{library}*.py"))


LANGCHAIN: Final = [
    *("langchain", "langgraph"),
    *(f"langchain-{name}" for name in ("anthropic", "litellm", "openai", "openrouter")),
]
"""What an application has beside ``langchain-core``."""

LANGCHAIN_TESTS: Final = ["tests/docs", "tests/matrix", *tests_of("langchain"), "tests/test_examples_langchain.py"]


@nox.session
def langchain(session: nox.Session) -> None:
    """The tests of LangChain and LangGraph, and the matrix: one call, one record, through every stack of libraries."""
    session.install("-e", ".[anthropic,langchain,litellm,openai]", *LANGCHAIN, *group("test"))
    run_pytest(session, *(session.posargs or [*SIDE_BY_SIDE, *LANGCHAIN_TESTS]))


LITELLM_TESTS: Final = [*tests_of("litellm"), "tests/test_cassettes_litellm.py"]
BESIDE_LITELLM: Final = ["backoff", "boto3", "fastapi", "redis", "soundfile", "tenacity"]
"""What LiteLLM needs for Anthropic's messages, for Bedrock, for its cache and for retries, and does not require."""

AT_ONCE: Final = ["-n", "2", "--dist", "loadfile"]
"""These tests wait, for LiteLLM and for its import, more than they work."""


@nox.session
@nox.parametrize("openai", [2, 3], ids=["openai2", "openai3"])
def litellm(session: nox.Session, openai: int) -> None:
    """The tests of LiteLLM as `pip install litellm` brings it, with each major version of openai that it takes."""
    wanted = f"openai>={openai},<{openai + 1}"
    session.install("-e", ".[litellm]", wanted, *BESIDE_LITELLM, *group("test"))
    run_pytest(session, *(session.posargs or [*AT_ONCE, *LITELLM_TESTS]), openai_major=openai)


ANTHROPIC_TESTS: Final = [*tests_of("anthropic"), "tests/test_cassettes_anthropic.py"]
BESIDE_ANTHROPIC: Final = ["boto3", "google-auth"]
"""What its clients for Bedrock and Vertex need."""


@nox.session
@nox.parametrize("major", [0, 1, 2], ids=["0", "1", "2"])
def anthropic(session: nox.Session, major: int) -> None:
    """The tests of the anthropic client, with each of its major versions; the openai client comes with the tests."""
    wanted = f"anthropic>={major},<{major + 1}"
    session.install("-e", ".[openai,anthropic]", wanted, *BESIDE_ANTHROPIC, *group("test"))
    run_pytest(session, *SIDE_BY_SIDE, *(session.posargs or ANTHROPIC_TESTS))


@nox.session
def proxy(session: nox.Session) -> None:
    """
    The real LiteLLM Proxy between the real openai client and a model server on loopback; and the tests of LiteLLM.

    Both in one environment, because installing it takes longer than they do. The proxy's own requirements may hold
    LiteLLM at an older version than the other session has: then two versions of it are tested.
    """
    wanted = ["-e", ".[openai,litellm]", "litellm[proxy]>=1.108", "openai>=3,<4", *BESIDE_LITELLM]
    session.install(*wanted, *group("test"))
    run_pytest(session, *(session.posargs or [*AT_ONCE, "tests/proxy", *LITELLM_TESTS]))


@nox.session
def backend(session: nox.Session) -> None:
    """A real Arize Phoenix, from its package and on loopback only: every call appears in it. Minutes, and 900 MB."""
    session.install("-e", ".[openai,langchain]", "langchain-openai", "arize-phoenix>=20,<21", *group("test"))
    # Its plugin imports half of it into the tests, and warns while it does.
    session.run("pytest", "-p", "no:phoenix", *(session.posargs or ["tests/backends"]))


NEIGHBOURS: Final = {
    "openinference": ["openinference-instrumentation-openai"],
    "openllmetry": ["opentelemetry-instrumentation-openai"],
    "genai": ["--pre", "opentelemetry-instrumentation-genai-openai"],
    # It asks for any opentelemetry-util-genai, and works with that of its time; and for httpx without saying so.
    "openai-v2": [
        *("--pre", "opentelemetry-instrumentation-openai-v2"),
        *("opentelemetry-util-genai==0.4b0", "httpx", "openai<3"),
    ],
    # Openai 2, because 3 is built on httpx2, which none of them traces.
    "http": [
        *(f"opentelemetry-instrumentation-{name}" for name in ("httpx", "requests", "threading", "urllib", "urllib3")),
        *("httpx", "requests", "urllib3", "openai<3"),
    ],
    "logfire": ["logfire"],
    "langfuse": ["langfuse"],
    "ddtrace": ["ddtrace"],
    "sentry": ["sentry-sdk"],
    **{
        f"openinference-{name}": [client, *(f"openinference-instrumentation-{each}" for each in (name, "openai"))]
        for name, client in {"langchain": "langchain-openai", "litellm": "litellm"}.items()
    },
}
"""Another instrumentation → what is installed for it."""


@nox.session
@nox.parametrize("neighbour", list(NEIGHBOURS), ids=list(NEIGHBOURS))
def neighbours(session: nox.Session, neighbour: str) -> None:
    """
    We and another instrumentation in one process, in every order: nothing changes for either. Minutes for each.

    Not installed in place: some of them tell the application's own code from that of packages by where it lies.
    """
    session.install(".[openai]", "pytest", *NEIGHBOURS[neighbour])
    session.run("python", "-m", "tests.neighbours", neighbour, *session.posargs)


FLEETS: Final = ["celery", "django", "fastapi", "gevent", "httpx", "uvicorn"]
"""What the examples of examples/fleets stand in."""


@nox.session
def fleets(session: nox.Session) -> None:
    """The examples for servers and workers, each in its framework, and `ramp-tracing run` in front of them."""
    session.install("-e", ".[openai]", *FLEETS, *group("test"))
    run_pytest(session, *(session.posargs or ["tests/test_fleets.py", "tests/autostart"]))


CHROMIUM: Final = Path("/usr/bin/chromium")


@nox.session
def page(session: nox.Session) -> None:
    """The AI-spend page in the system's Chromium, which is installed if it is missing; pictures in test-output/page."""
    if not CHROMIUM.exists():
        session.run("apt-get", "update", "--quiet", "--quiet", external=True)
        packages = ("chromium", "fonts-liberation")
        session.run("apt-get", "install", "--quiet", "--quiet", "--yes", *packages, external=True)
    session.install("-e", ".[openai,local]", "playwright", "axe-playwright-python", *group("test"))
    run_pytest(session, *(session.posargs or ["tests/page"]))


BENCH_PEERS: Final = [name for name in PROJECT["dependency-groups"] if name.startswith("bench-")]
"""The groups of those that we are compared with, whose environments have the same names."""

WITH_PEERS: Final = {"full", "calls", "start", "delivery", "instructions"}
"""Parts of the benchmark that are not about us only."""


@nox.session
def bench(session: nox.Session) -> None:
    """
    What instrumentations cost, side by side in one run; arguments are its parts, and docs/benchmarks.md explains them.

    `-- quick` (ours only), `-- full`, `-- growth`; `-- page` is how fast the page is with a million calls.
    """
    if session.posargs[:1] == ["page"]:
        session.install("-e", ".[local]")
        session.run("python", "benchmarks/local_million.py", *session.posargs[1:])
        return
    ours = bench_environment(session, "bench-ours", "-e", ".")
    for peer in BENCH_PEERS if WITH_PEERS.intersection(session.posargs) else []:
        bench_environment(session, peer, *group(peer))
    session.run(ours, "-m", "benchmarks.compare", *session.posargs, external=True)


def bench_environment(session: nox.Session, name: str, *requirements: str) -> str:
    """Make a contender's environment in `.nox/`, where it stays until its requirements change. Returns its Python."""
    wanted = [*requirements, *group("bench")]
    folder = Path(session.virtualenv.location).with_name(name)
    python, stamp = folder / "bin" / "python", folder / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != "\n".join(wanted):
        session.run(sys.executable, "-m", "virtualenv", "--quiet", str(folder), external=True)
        session.run(str(python), "-m", "pip", "install", "--quiet", *wanted, external=True)
        stamp.write_text("\n".join(wanted))
    return str(python)


@nox.session
def faults(session: nox.Session) -> None:
    """Every fault by itself, then one restart; exits, flushes, a preforking server. Minutes; arguments go to it."""
    session.install("-e", ".[openai]", "gunicorn", *group("test"))
    session.run("python", "-m", "tests.faults", *(session.posargs or ["all"]))


@nox.session
def chaos(session: nox.Session) -> None:
    """100,000 records, 20 processes killed, half of the receiver's answers bad, one restart. Many minutes."""
    session.install("-e", ".[openai]", *group("test"))
    session.run("python", "-m", "tests.faults", "chaos", *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """The tests, with the oldest version of every direct dependency that pyproject.toml allows."""
    table = PROJECT["project"]
    extras = table["optional-dependencies"]
    pinned = [lower_bound(each) for each in [*table["dependencies"], *extras["openai"], *extras["local"]]]
    constraints = Path(session.virtualenv.location) / "lowest.txt"
    constraints.write_text("\n".join(pinned))
    session.install("-e", ".[openai,local]", "--constraint", str(constraints), *group("test"))
    run_tests(session, openai_major=1, selection=OF_THE_MACHINE)


def lower_bound(requirement: str) -> str:
    """``"name>=1.2,<4"`` → ``"name==1.2"``."""
    return re.sub(r">=([^,]+).*", r"==\1", requirement)


def build(session: nox.Session) -> Path:
    """
    The wheel, which lies in test-output/dist with the sdist that it was made of.

    Both are byte for byte those of a second build, in which the wheel is made of the checkout.
    """
    folder, once = Path(session.create_tmp()), ROOT / "test-output" / "dist"
    builder, again = folder / "builder", folder / "again"
    for out in (once, again):
        shutil.rmtree(out, ignore_errors=True)
    session.run("pip", "install", "--quiet", "--upgrade", "--target", str(builder), *BUILD, silent=True)
    hatch = ("python", "-m", "hatchling", "build", "-t", "sdist")
    session.run(*hatch, "-d", str(once), env={"PYTHONPATH": str(builder)}, silent=True)
    session.run(*hatch, "-t", "wheel", "-d", str(again), env={"PYTHONPATH": str(builder)}, silent=True)
    session.run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(once), *map(str, once.glob("*.tar.gz")))
    for made in sorted(once.iterdir()):
        if made.read_bytes() != (again / made.name).read_bytes():
            session.error(f"two builds of {made.name} differ")
    return next(once.glob("*.whl"))


BUILD: Final = PROJECT["build-system"]["requires"]


@nox.session
@nox.parametrize("python", [HERE, *NEWER], ids=[HERE, *NEWER])
def package(session: nox.Session) -> None:
    """
    The wheel installs and runs in an environment that holds nothing else, and has a type for every public name.

    Arguments are extras: whether pip finds versions of all that they bring, for this Python.
    """
    wheel = build(session)
    session.install(str(wheel))
    session.run("pip", "check")
    if session.posargs:
        session.run("pip", "install", "--quiet", "--dry-run", f"{wheel}[{','.join(session.posargs)}]")
    session.chdir(session.create_tmp())
    session.run("python", "-c", "import ramp_tracing, ramp_tracing.testing")
    session.run("ramp-tracing", "--help", silent=True)
    session.run("ramp-tracing", "--version")
    if session.python == HERE:
        session.install(*group("pyright"))
        session.run("pyright", "--verifytypes", "ramp_tracing", "--ignoreexternal")


def furnish(session: nox.Session, extras: str) -> Path:
    """An environment with the package, its *extras*, and nothing else, pip neither."""
    environment = Path(session.create_tmp()) / (extras or "core")
    session.install("virtualenv")
    session.run("virtualenv", "--quiet", "--clear", "--no-seed", str(environment))
    wanted = f"{ROOT}[{extras}]" if extras else str(ROOT)
    session.run("pip", "--python", str(environment), "install", "--quiet", wanted)
    return environment


@nox.session
def audit(session: nox.Session) -> None:
    """
    Known vulnerabilities of all that the extras bring; skipped, and says why, where no service can be asked.

    First, that a hole would be found. With ``--required``, as before a release, what was not audited fails. Other
    arguments go to pip-audit.
    """
    session.install("-e", ".", *group("audit"), *group("test"))
    session.run("pytest", "tests/test_supply_chain.py")
    [packages] = furnish(session, "all").glob("lib/python*/site-packages")
    said = str(session.run("python", "audit.py", str(packages), *session.posargs, silent=True)).strip()
    if not said.startswith("audited"):
        session.skip(said)
    session.log(said)


@nox.session
def sbom(session: nox.Session) -> None:
    """Bills of materials, CycloneDX, in test-output/sbom: of the package alone, and with all extras."""
    session.install(*group("sbom"))
    folder = ROOT / "test-output" / "sbom"
    folder.mkdir(parents=True, exist_ok=True)
    for extras in ("", "all"):
        environment = furnish(session, extras)
        session.run("python", "sbom.py", str(environment), str(folder / f"{extras or 'core'}.cdx.json"))


@nox.session
def demo(session: nox.Session) -> None:
    """What a user installs, and `ramp-tracing demo`; arguments go to it."""
    session.install(".[all]", "langchain-openai")
    session.run("ramp-tracing", "demo", *session.posargs)
