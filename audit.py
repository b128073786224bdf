"""
Whether anything that the package brings has a known vulnerability: `python3.11 dev.py nox -- -s audit`.

pip-audit asks a service of each package. Of those that the service does not know it says "No known vulnerabilities
found", and ends well: where only an index of packages can be reached, a package full of holes passes. So its report is
read here, and what was not audited is not called clean.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any, Final

SERVICES: Final = ("pypi", "osv")
"""What pip-audit can ask, in this order: the first that knows a package is believed."""

OURS: Final = "ramp-tracing"
"""It is what is about to be released: nobody knows it yet."""

SECONDS: Final = 10
"""For one answer of a service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """
    What a report says.

    Attributes:
        known: How many packages the service knew.
        unknown: Names of those that it did not.
        found: Lines that name a vulnerability each.
    """

    known: int = 0
    unknown: tuple[str, ...] = ()
    found: tuple[str, ...] = ()


def read_report(report: Mapping[str, Any]) -> Audit:
    """Read pip-audit's JSON: https://github.com/pypa/pip-audit#usage"""
    packages = [each for each in report["dependencies"] if each["name"] != OURS]
    audited = [each for each in packages if "skip_reason" not in each]
    unknown = tuple(each["name"] for each in packages if "skip_reason" in each)
    return Audit(known=len(audited), unknown=unknown, found=tuple(line for each in audited for line in _holes(each)))


def _holes(package: Mapping[str, Any]) -> Iterable[str]:
    for hole in package["vulns"]:
        mended = ", ".join(hole["fix_versions"]) or "no version yet"
        names = ", ".join([hole["id"], *hole.get("aliases", ())])
        yield f"{package['name']} {package['version']}: {names}; mended in {mended}"


def ask(service: str, folder: str, options: Iterable[str]) -> Audit | str:
    """
    Have pip-audit ask a service of what is installed in a folder.

    Args:
        service: Its name.
        folder: The ``site-packages``.
        options: Further ones, for pip-audit.

    Returns:
        What was found; or the reason why nothing was, in a line.
    """
    with tempfile.TemporaryDirectory() as place:
        output = Path(place) / "report.json"
        command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--timeout", str(SECONDS)]
        command += ["--vulnerability-service", service, "--path", folder, "--format", "json", "--output", str(output)]
        ended = subprocess.run([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if output.exists():
            return read_report(json.loads(output.read_text()))
    return shorten((ended.stderr.strip().splitlines() or ["no report"])[-1], 120, placeholder=" …")


def conclude(answers: Mapping[str, Audit | str], *, required: bool) -> tuple[str, int]:
    """
    What is said of it, and the exit status.

    Args:
        answers: By service, those that were asked. The last one counts; those before it knew nothing.
        required: Whether something that was not audited is a failure.
    """
    service, last = list(answers.items())[-1]
    if isinstance(last, str) or not last.known:
        why = "; ".join(f"{name}: {_reason(answer)}" for name, answer in answers.items())
        return f"not audited, because no service of vulnerabilities answered: {why}", int(required)
    unknown = f"; not known there, so not audited: {', '.join(last.unknown)}" if last.unknown else ""
    said = f"audited {last.known} packages with {service}{unknown}"
    if last.found:
        return "\n".join([said, *last.found]), 1
    return f"{said}; no known vulnerability", int(required and bool(last.unknown))


def _reason(answer: Audit | str) -> str:
    return answer if isinstance(answer, str) else f"knows none of the {len(answer.unknown)} packages"


def main(folder: str, *words: str) -> int:
    """
    Audit what is installed in a folder.

    Args:
        folder: The ``site-packages``.
        *words: ``--required``: what could not be audited is a failure. All else is an option of pip-audit; with
            ``--osv-url`` only that service is asked.

    Returns:
        The exit status.
    """
    options = [word for word in words if word != "--required"]
    services = SERVICES[1:] if "--osv-url" in options else SERVICES
    answers: dict[str, Audit | str] = {}
    for service in services:
        answers[service] = answer = ask(service, folder, options)
        if isinstance(answer, Audit) and answer.known:
            break
    text, status = conclude(answers, required="--required" in words)
    print(text)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
