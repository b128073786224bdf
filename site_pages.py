"""
What the site (mkdocs.yml) has beside docs/: a page for the README, and one for every other file that is linked to.

The documents are written for the repository, where a link names a file. Here each such file becomes a page, and the
links are turned towards it, so that the same text works in both places.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).resolve().parent
ALWAYS: Final = [ROOT / f"{name}.md" for name in ("README", "ARCHITECTURE", "CHANGELOG", "CONTRIBUTING", "SECURITY")]
"""What the menu names."""

LINK: Final = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)")
"""Where a relative link leads, without its anchor."""

FETCHED: Final = re.compile(r"<(?:script|img|iframe|source|link)\b[^>]*\s(?:src|href)=[\"']?(?:https?:)?//[^>]*>")
"""What a browser would get from another host when it shows a page."""

LANGUAGES: Final = {".py": "python", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages of what lies outside docs/, and of what these link to in turn."""
    waiting = [*ALWAYS, *(path for page in (ROOT / "docs").glob("*.md") for path in linked(page))]
    while waiting:
        path = waiting.pop()
        address = address_of(path)
        if path.is_relative_to(ROOT / "docs") or files.get_file_from_path(address):
            continue
        files.append(File.generated(config, address, content=text_of(path)))
        waiting += linked(path)
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Turn the links of a page from files of the repository to their pages."""
    address = page.file.src_uri
    origin = next((path for path in sources(page.file) if path.exists()), None)
    return markdown if origin is None else turned(markdown, origin, Path(address).parent)


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Refuse a page that would fetch something from another host."""
    if found := FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} fetches from outside: {found[0]}")
    return output


def address_of(path: Path) -> str:
    """The page in the site of a file or folder of the repository."""
    name = path.relative_to(ROOT).as_posix()
    if name == "README.md":
        return "index.md"
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    if path.is_dir():
        return f"repository/{name}/index.md"
    return f"repository/{name}" if path.suffix == ".md" else f"repository/{name}.md"


def sources(file: File) -> Iterator[Path]:
    """Where the Markdown of a page may come from. A page of code has no links to turn."""
    if file.src_uri == "index.md":
        yield ROOT / "README.md"
    elif file.src_uri.startswith("repository/"):
        name = file.src_uri.removeprefix("repository/")
        yield ROOT / name.removesuffix("/index.md")
        yield ROOT / name
    else:
        yield ROOT / "docs" / file.src_uri


def linked(path: Path) -> list[Path]:
    """The files and folders of the repository that a document or a folder's page links to."""
    if path.suffix != ".md" and not path.is_dir():
        return []
    base = path if path.is_dir() else path.parent
    found = [(base / target).resolve() for target in LINK.findall(text_of(path))]
    return [each for each in found if each.exists() and each.is_relative_to(ROOT)]


def turned(markdown: str, origin: Path, folder: Path) -> str:
    """*markdown* of the file *origin*, with its links as the page in *folder* needs them."""
    base = origin if origin.is_dir() else origin.parent

    def turn(link: re.Match[str]) -> str:
        target = (base / link[0]).resolve()
        known = target.exists() and target.is_relative_to(ROOT)
        return os.path.relpath(address_of(target), folder) if known else link[0]

    return LINK.sub(turn, markdown)


def text_of(path: Path) -> str:
    """A file as Markdown: a document as it is, code in a block, a folder as the list of its files."""
    name = path.relative_to(ROOT).as_posix()
    if path.is_dir():
        inside = sorted(each for each in path.iterdir() if each.suffix in LANGUAGES)
        return "\n".join([f"# {name}", "", *(f"- [{each.name}]({each.name})" for each in inside), ""])
    text = path.read_text(encoding="utf-8")
    return text if path.suffix == ".md" else f"# {name}\n\n````{LANGUAGES.get(path.suffix, 'text')}\n{text}````\n"
