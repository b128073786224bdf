"""
A bill of materials of an environment that holds the package: `python3.11 dev.py nox -- -s sbom`.

cyclonedx-py lists what is installed. Added here are the version of the package, which `pyproject.toml` does not have in
the form that it reads, and what the wheel carries of others' code (`bundled.cdx.json`, which travels in the wheel too:
https://peps.python.org/pep-0770/). No time and no random number is in it: the same environment gives the same bytes.
"""

import json
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent
BUNDLED: Final = ROOT / "bundled.cdx.json"
DYNAMIC: Final = 'dynamic = ["version"]'
SPECIFICATION: Final = "1.6"


def installed_in(python: str) -> dict[str, Any]:
    """
    What cyclonedx-py says is installed for an interpreter.

    Args:
        python: The interpreter, or the folder of its environment.
    """
    version = runpy.run_path(str(ROOT / "src" / "ramp_tracing" / "_version.py"))["__version__"]
    project = (ROOT / "pyproject.toml").read_text()
    with tempfile.TemporaryDirectory() as folder:
        described = Path(folder) / "pyproject.toml"
        described.write_text(project.replace(DYNAMIC, f'version = "{version}"'))
        command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible"]
        command += ["--spec-version", SPECIFICATION, "--mc-type", "library", "--pyproject", str(described), python]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def with_bundled(installed: dict[str, Any], bundled: dict[str, Any]) -> dict[str, Any]:
    """
    One bill of materials for what is installed and what the wheel carries.

    Args:
        installed: Of an environment.
        bundled: Of the wheel; its main component is the same.
    """
    ours = bundled["metadata"]["component"]["bom-ref"]
    root = installed["metadata"]["component"]["bom-ref"]
    carried = {each["ref"]: each.get("dependsOn", []) for each in bundled["dependencies"]}
    needed = {each["ref"]: each.get("dependsOn", []) for each in installed["dependencies"]}
    needed[root] = sorted([*needed.get(root, []), *carried.pop(ours)])
    edges = [{"ref": ref, "dependsOn": on} if on else {"ref": ref} for ref, on in sorted({**needed, **carried}.items())]
    components = sorted([*installed["components"], *bundled["components"]], key=lambda each: str(each["bom-ref"]))
    return {**installed, "components": components, "dependencies": edges}


def main(python: str, output: str) -> str | None:
    """
    Write the bill of materials of an environment to a file.

    Args:
        python: The environment's interpreter, or its folder.
        output: The file, JSON.

    Returns:
        What is wrong with it by CycloneDX's schema, else `None`.
    """
    # Loaded here: the tests of the functions above do without them.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    whole = with_bundled(installed_in(python), json.loads(BUNDLED.read_text()))
    text = json.dumps(whole, indent=2, sort_keys=True) + "\n"
    validator = JsonStrictValidator(SchemaVersion.from_version(SPECIFICATION))
    for each in (text, BUNDLED.read_text()):
        if wrong := validator.validate_str(each):
            return f"not what the schema of CycloneDX {SPECIFICATION} allows: {wrong}"
    Path(output).write_text(text)
    print(f"{output}: {len(whole['components'])} components, valid CycloneDX {SPECIFICATION}")
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
