"""The payloads themselves."""

from pathlib import Path

from .cases import PAYLOADS


def test_every_payload_is_read() -> None:
    """No payload lies about that no test reads."""
    tests = "".join(each.read_text() for each in Path(__file__).parent.glob("test_*.py"))
    names = {each.relative_to(PAYLOADS).as_posix() for each in PAYLOADS.rglob("*") if each.is_file()}
    assert set() == {name for name in names if f'"{name}"' not in tests}
