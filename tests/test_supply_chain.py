"""What is said of others' code: what the wheel carries, what is installed beside it, and what is known to be broken."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

import audit
import pytest
import sbom
from audit import Audit

from ramp_tracing._loopback import Answer, LoopbackServer, Request, json_answer

SOURCE: Final = sbom.ROOT / "src"
BUNDLED: Final[dict[str, Any]] = json.loads(sbom.BUNDLED.read_text())
BANNER: Final = re.compile(r"/\*!\s*\*\s*(?P<name>@?[\w./]+) v(?P<version>[\d.]+)\s")
"""With which a minified file says what is in it: ``Chart.js v4.6.1``."""


def scripts() -> list[Path]:
    """Code in the package that is not ours."""
    return sorted(SOURCE.rglob("vendor/*.js"))


def test_bundled_code_is_all_named() -> None:
    """`bundled.cdx.json` has every piece of others' code that the wheel carries, in the version that it says it has."""
    carried = {
        (found["name"].lower(), found["version"], str(path.relative_to(SOURCE)))
        for path in scripts()
        for found in BANNER.finditer(path.read_text())
    }
    named = {
        ("/".join(filter(None, (each.get("group"), each["name"]))), each["version"], place["location"])
        for each in BUNDLED["components"]
        for place in each["evidence"]["occurrences"]
    }
    assert carried == named
    assert {str(path.relative_to(SOURCE)) for path in scripts()} == {place for _, _, place in named}


def test_bundled_code_is_what_it_was() -> None:
    """The hashes are those of the files."""
    hashes = {
        place["location"]: given["content"]
        for each in BUNDLED["components"]
        for given in each.get("hashes", [])
        for place in each["evidence"]["occurrences"]
    }
    assert {
        str(path.relative_to(SOURCE)): hashlib.sha256(path.read_bytes()).hexdigest() for path in scripts()
    } == hashes


def test_what_is_bundled_joins_what_is_installed() -> None:
    """One list and one graph: the package needs both, and each part keeps what it needs itself."""
    installed = {
        "metadata": {"component": {"bom-ref": "root-component"}},
        "components": [{"bom-ref": "zeta==1"}, {"bom-ref": "alpha==2"}],
        "dependencies": [{"ref": "root-component", "dependsOn": ["alpha==2"]}, {"ref": "alpha==2"}, {"ref": "zeta==1"}],
    }
    bundled = {
        "metadata": {"component": {"bom-ref": "ours"}},
        "components": [{"bom-ref": "chart"}, {"bom-ref": "colour"}],
        "dependencies": [{"ref": "ours", "dependsOn": ["chart"]}, {"ref": "chart", "dependsOn": ["colour"]}],
    }
    expected = {
        "metadata": {"component": {"bom-ref": "root-component"}},
        "components": [{"bom-ref": each} for each in ("alpha==2", "chart", "colour", "zeta==1")],
        "dependencies": [
            {"ref": "alpha==2"},
            {"ref": "chart", "dependsOn": ["colour"]},
            {"ref": "root-component", "dependsOn": ["alpha==2", "chart"]},
            {"ref": "zeta==1"},
        ],
    }
    assert expected == sbom.with_bundled(installed, bundled)


HOLE: Final = {"id": "PYSEC-2099-1", "aliases": ["CVE-2099-1"], "fix_versions": ["2.1"], "description": "A hole."}
REPORT: Final = {
    "dependencies": [
        {"name": "ramp-tracing", "skip_reason": "Dependency not found"},
        {"name": "sound", "version": "1.0", "vulns": []},
        {"name": "broken", "version": "2.0", "vulns": [HOLE]},
        {"name": "private", "skip_reason": "Dependency not found"},
    ],
    "fixes": [],
}


def test_a_report_is_read() -> None:
    """What was audited, what was not, and each hole in a line; of the package itself nobody can know."""
    hole = "broken 2.0: PYSEC-2099-1, CVE-2099-1; mended in 2.1"
    assert Audit(known=2, unknown=("private",), found=(hole,)) == audit.read_report(REPORT)


CLEAN: Final = Audit(known=2)
HALF: Final = Audit(known=2, unknown=("private",))
BROKEN: Final = Audit(known=2, found=("broken 2.0: PYSEC-2099-1; mended in 2.1",))
NOTHING: Final = Audit(unknown=("sound", "broken"))
NOT_AUDITED: Final = "not audited, because no service of vulnerabilities answered"


@pytest.mark.parametrize(
    ("answers", "said", "status", "where_required"),
    [
        ({"pypi": CLEAN}, "audited 2 packages with pypi; no known vulnerability", 0, 0),
        ({"pypi": NOTHING, "osv": CLEAN}, "audited 2 packages with osv; no known vulnerability", 0, 0),
        ({"pypi": HALF}, "audited 2 packages with pypi; not known there, so not audited: private; no known", 0, 1),
        ({"pypi": BROKEN}, "audited 2 packages with pypi\nbroken 2.0: PYSEC-2099-1; mended in 2.1", 1, 1),
        ({"pypi": NOTHING, "osv": "no way"}, f"{NOT_AUDITED}: pypi: knows none of the 2 packages; osv: no way", 0, 1),
    ],
    ids=["clean", "the second service", "half", "broken", "nothing"],
)  # fmt: skip
def test_only_what_was_audited_is_called_clean(
    answers: dict[str, Audit | str], said: str, status: int, where_required: int
) -> None:
    """A hole fails; what nobody could say anything of is called so, and fails where an audit is required."""
    text, ended = audit.conclude(answers, required=False)
    assert text.startswith(said)
    assert status == ended
    assert where_required == audit.conclude(answers, required=True)[1]


def advise(request: Request) -> Answer:
    """What OSV knows of one package: https://google.github.io/osv.dev/post-v1-query/"""
    asked: Any = request.json
    fixed = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}
    affected = {"package": {"name": "broken", "ecosystem": "PyPI"}, "ranges": [fixed]}
    hole = {"id": HOLE["id"], "aliases": HOLE["aliases"], "details": "A hole.", "published": "2099-01-01T00:00:00Z"}
    known = asked["package"]["name"] == "broken"
    return json_answer({"vulns": [{**hole, "affected": [affected]}]} if known else {})


@pytest.mark.timeout(180)  # it is started twice, and gives its service time
def test_pip_audit_is_understood(tmp_path: Path) -> None:
    """The real one, with a service on loopback: a hole is found; without a service there is a reason, and no audit."""
    pytest.importorskip("pip_audit", reason="needs pip-audit, which the session `audit` has")
    for name, version in (("broken", "2.0"), ("sound", "1.0")):
        (tmp_path / f"{name}-{version}.dist-info").mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (tmp_path / f"{name}-{version}.dist-info" / "METADATA").write_text(metadata)
    with LoopbackServer(advise) as service:
        found = audit.ask("osv", str(tmp_path), ["--osv-url", f"{service.url}/v1/query"])
    assert Audit(known=2, found=("broken 2.0: PYSEC-2099-1, CVE-2099-1; mended in 2.1",)) == found
    assert isinstance(audit.ask("osv", str(tmp_path), ["--osv-url", "http://127.0.0.1:9/v1/query"]), str)
