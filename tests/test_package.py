"""What is shipped, and whether the documents at the top of the repository tell the truth about it."""

import ast
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import Final, get_args

import pytest
from typer.testing import CliRunner

import ramp_tracing
from ramp_tracing._config._options import OPTIONS
from ramp_tracing._version import __version__
from ramp_tracing.cli._app import build_app
from ramp_tracing.integrations import LibraryName
from ramp_tracing.testing import FakeRamp

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = ROOT / "src" / "ramp_tracing"
PYPROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
README: Final = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist of this checkout."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    """The wheel."""
    return zipfile.ZipFile(next(built.glob("*.whl")))


def code_blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """The words of each line of the console blocks of a document, without comments."""
    lines = "".join(code_blocks(text, "console")).splitlines()
    return [line.split("#")[0].split() for line in lines if line.strip()]


# --- wheel and sdist


def test_wheel_holds_exactly_the_package(wheel: zipfile.ZipFile) -> None:
    """Every file of src/ramp_tracing is in the wheel, `py.typed` among them, and nothing else but metadata."""
    expected = {
        str(path.relative_to(SOURCE.parent))
        for path in SOURCE.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.name != ".DS_Store"
    }
    actual = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert "ramp_tracing/py.typed" in actual
    assert expected == actual


def test_wheel_carries_the_licences_and_the_command(wheel: zipfile.ZipFile) -> None:
    """The licences travel with the wheel, with the names of others' code, and installing it makes `ramp-tracing`."""
    info = f"ramp_tracing-{__version__}.dist-info"
    licences = ["LICENSE", "src/ramp_tracing/local/page/vendor/chart.js-LICENSE.md"]
    assert {f"{info}/licenses/{each}" for each in licences} == {
        each for each in wheel.namelist() if "/licenses/" in each
    }
    assert (ROOT / "LICENSE").read_bytes() == wheel.read(f"{info}/licenses/LICENSE")
    assert (ROOT / "bundled.cdx.json").read_bytes() == wheel.read(f"{info}/sboms/bundled.cdx.json")
    assert "ramp-tracing = ramp_tracing.cli:main" in wheel.read(f"{info}/entry_points.txt").decode()


def test_wheel_metadata_has_the_version_and_the_extras(wheel: zipfile.ZipFile) -> None:
    """The built metadata says the version of `_version.py` and offers the documented extras."""
    metadata = HeaderParser().parsestr(wheel.read(f"ramp_tracing-{__version__}.dist-info/METADATA").decode())
    assert __version__ == metadata["Version"]
    assert {*get_args(LibraryName), "local", "all"} == set(metadata.get_all("Provides-Extra", []))


FOLDERS: Final = (".ci", "benchmarks", "docs", "examples", "src", "tests")
LITTER: Final = re.compile(r"__pycache__|\.py[co]$|\.DS_Store|/\.[a-z]+_cache/|\.egg-info|/test-output/|/build/|/dist/")


def test_sdist_holds_what_a_packager_needs(built: Path) -> None:
    """Whoever has the sdist can read the documents, build the wheel and run the tests; what runs leave is not in it."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {each.name.partition("/")[2] for each in archive.getmembers() if each.isfile()}
    kept = {str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()}
    kept = {name for name in kept if not LITTER.search(name)}
    kept |= {path.name for kind in ("*.md", "*.py", "*.cdx.json") for path in ROOT.glob(kind)}
    kept |= {"LICENSE", "mkdocs.yml", "pyproject.toml", ".gitignore"}
    assert kept | {"PKG-INFO"} == names


# --- the version


def test_version_is_the_same_everywhere(tmp_path: Path) -> None:
    """What a program, a terminal and Ramp are told is one version; the wheel and the changelog are tested beside."""
    with FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="test", base_url=ramp.url, state_dir=str(tmp_path))
        ramp_tracing.record_generation(model="gpt-4o")
        assert ramp_tracing.flush()
        [span] = ramp.wait_for(1)
        [request] = ramp.requests
        ramp_tracing.uninstrument()
    told = {
        "attribute": ramp_tracing.__version__,
        "command": CliRunner().invoke(build_app(), ["--version"]).output.strip(),
        "resource": span.resource["telemetry.sdk.version"],
        "scope": json.loads(request.body)["resourceSpans"][0]["scopeSpans"][0]["scope"]["version"],
        "user agent": request.headers["user-agent"].removeprefix("ramp-tracing/"),
    }
    assert dict.fromkeys(told, __version__) == told


def test_version_is_written_once() -> None:
    """`_version.py` is the only file of the package, and of its build, that contains the version as a literal."""
    places = [*SOURCE.rglob("*.py"), ROOT / "pyproject.toml", *ROOT.glob("*.py"), ROOT / "bundled.cdx.json"]
    assert "version" in PYPROJECT["project"]["dynamic"]
    assert [SOURCE / "_version.py"] == [path for path in places if f'"{__version__}"' in path.read_text()]


# --- README


def test_readme_development_commands_exist() -> None:
    """The two commands that do all the set-up are commands of dev.py, and CI runs the second."""
    table = next(
        node.value
        for node in ast.parse((ROOT / "dev.py").read_text()).body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "COMMANDS"
    )
    assert table is not None
    known = set(ast.literal_eval(table))
    used = [words[2] for words in commands(README) if words[:2] == ["python3.11", "dev.py"]]
    assert ["demo", "test"] == used
    assert set(used) <= known
    assert "exec python3.11 dev.py test" in (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documented_code_names_what_exists(document: Path) -> None:
    """Python blocks of the documents compile, and each `ramp_tracing.name` in them is public."""
    for block in code_blocks(document.read_text(), "python"):
        tree = ast.parse(block)
        names = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "ramp_tracing"
        }
        assert set() == names - set(ramp_tracing.__all__) - {"testing", "exceptions", "integrations", "litellm_logger"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    """A relative link in a document names a file of the repository."""
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", document.read_text())
    assert [] == [target for target in targets if not (document.parent / target).exists()]


def test_every_option_is_documented() -> None:
    """docs/configuration.md has one row for each option, with its variable, and no other."""
    text = (ROOT / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (?:`(\w+)`)? ?\|", text, flags=re.MULTILINE)
    assert {name: option.variable or "" for name, option in OPTIONS.items()} == dict(rows)


# --- ARCHITECTURE.md


def drawn_floors() -> list[set[str]]:
    """The rooms of each floor in the drawing of ARCHITECTURE.md, from the top."""
    [drawing] = code_blocks((ROOT / "ARCHITECTURE.md").read_text(), "house")
    floors = re.split(r"^\+[-+]+\+$", drawing, flags=re.MULTILINE)
    rooms = [" ".join(re.findall(r"^\|([^|]*)\|", floor, flags=re.MULTILINE)).split() for floor in floors]
    return [set(floor) for floor in rooms if floor]


def test_drawing_names_every_module() -> None:
    """The house in ARCHITECTURE.md has a room for each top-level module of the package, and no other."""
    modules = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert modules - {"__init__"} == set().union(*drawn_floors())


def test_drawing_is_what_import_linter_checks() -> None:
    """The floors that are drawn are the floors of the contract, in its order."""
    [contract] = [each for each in PYPROJECT["tool"]["importlinter"]["contracts"] if each["id"] == "floors"]
    checked = [set(re.findall(r"\w+", layer)) for layer in contract["layers"]]
    drawn = drawn_floors()
    assert [floor & set().union(*drawn) for floor in checked if floor & set().union(*drawn)] == drawn


def test_every_dependency_is_justified() -> None:
    """ARCHITECTURE.md says of each core dependency what it is there for."""
    names = {re.split(r"[><=~!\[ ]", requirement)[0] for requirement in PYPROJECT["project"]["dependencies"]}
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert set() == {name for name in names if f"`{name}`" not in text}
