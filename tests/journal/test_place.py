"""Where the journal is."""

import logging
import os
import pwd
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import platformdirs
import pytest

from ramp_tracing._journal import FileJournal, Journal, MemoryJournal, Stats, open_journal, state_directories
from ramp_tracing._journal import _file_systems as file_systems
from ramp_tracing._journal import _place as place
from ramp_tracing._journal._file_systems import file_system_of, network_file_system
from ramp_tracing._journal._place import destination_name
from ramp_tracing.exceptions import ConfigurationError

from .samples import ROOT, bytes_below, drain, generation, ids, run

URL = "https://api.example.com/x?token=CANARY-query"
KEY = "ramp_CANARY_key"

MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:25 / /home rw,relatime shared:5 - nfs4 server:/export rw
31 30 0:26 / /home/local rw - xfs /dev/vdb rw
32 22 0:27 / /mnt/with\040space rw - fuse.sshfs me@there: rw
33 22 0:28 / /data rw - ext4 /dev/vdc rw
34 22 0:29 / /data rw - cifs //there/share rw
nonsense
"""


def opened(state: Path | None) -> Journal:
    return open_journal(state_dir=None if state is None else str(state), base_url=URL, key=KEY)


def refusal(state: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        opened(state)
    return str(caught.value)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory, and a second place that is not the machine's."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(place, "SECOND_PLACE", tmp_path / "second")
    return tmp_path / "home"


@pytest.fixture
def on_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path], None]:
    """Makes a path look as if it were on a network file system."""

    def make(path: Path) -> None:
        mounts = tmp_path / "mountinfo"
        mounts.write_text(f"1 0 254:0 / / rw - ext4 /dev/vda rw\n2 1 0:1 / {path} rw - nfs4 there:/ rw\n")
        monkeypatch.setattr(file_systems, "MOUNTS", mounts)

    return make


# -- asked for


def test_each_destination_has_a_directory(state: Path) -> None:
    """For another receiver or another key it is another one, from which neither can be told."""
    journal = opened(state)
    assert isinstance(journal, FileJournal)
    name = destination_name(URL, KEY)
    assert [path.name for path in state.iterdir()] == [name]
    assert (len(name), int(name, 16) > 0) == (16, True)
    assert len({name, destination_name(URL, "other"), destination_name("https://other", KEY)}) == 3


def test_a_person_can_see_which_destination_it_is(state: Path) -> None:
    """The address is noted without what may be secret in it; the key is nowhere."""
    opened(state).append(generation(1))
    assert (state / destination_name(URL, KEY) / "destination").read_text() == "https://api.example.com/x\n"
    assert b"CANARY" not in bytes_below(state)


def test_a_place_that_was_asked_for_must_be_usable(state: Path, tmp_path: Path) -> None:
    """The application is told at once, and what to change."""
    state.mkdir()
    state.chmod(0o777)
    assert refusal(state).startswith("state_dir cannot be used: other users may write to")
    (tmp_path / "link").symlink_to(state)
    assert "is a symbolic link" in refusal(tmp_path / "link")
    (tmp_path / "file").write_text("")
    assert "choose a directory that can be written" in refusal(tmp_path / "file")
    assert "choose a directory that can be written" in refusal(tmp_path / "file" / "below")
    assert "choose a directory that can be written" in refusal(Path("/proc/nowhere"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_place_of_somebody_else_is_refused(state: Path) -> None:
    """Also when it is empty."""
    state.mkdir()
    os.chown(state, 12_345, 12_345)
    assert "belongs to another user; choose a directory of your own" in refusal(state)


def test_a_full_disk_is_no_reason_to_refuse(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It passes; the journal tries again by itself."""
    import errno

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(place, "_prepare", full)
    assert isinstance(opened(state), FileJournal)


def test_a_network_file_system_that_was_asked_for_is_used_with_a_warning(
    state: Path, on_network: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever asks for it may know better."""
    on_network(state)
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        assert isinstance(opened(state), FileJournal)
    assert "is on a network file system (nfs4)" in caplog.text


# -- not asked for


def test_by_default_it_is_in_the_users_state_directory(home: Path) -> None:
    """Which is made, for its owner alone."""
    journal = opened(None)
    assert isinstance(journal, FileJournal)
    journal.append(generation(1))
    (made,) = (home / ".local" / "state" / "ramp_tracing").iterdir()
    assert made.name == destination_name(URL, KEY)
    assert {stat.S_IMODE(path.stat().st_mode) for path in [home, *home.rglob("*")] if path.is_dir()} == {0o700}


def test_without_a_usable_home_it_is_elsewhere(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One warning says so; nothing is raised, because nobody asked for that place."""
    home.write_text("no directory")
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        assert isinstance(opened(None), FileJournal)
    second = state_directories(None)[1]
    assert second.name == f"ramp_tracing-{os.geteuid()}"
    assert (len(caplog.records), f"the journal is in {second}" in caplog.text) == (1, True)
    assert (second / destination_name(URL, KEY)).is_dir()


def test_what_was_left_in_another_place_is_sent(home: Path) -> None:
    """The home can be written again: nobody will choose the other place any more."""
    home.write_text("no directory")
    opened(None).append(generation(1))
    home.unlink()
    journal = opened(None)
    assert isinstance(journal, FileJournal)
    assert journal.has_leftovers()
    journal.append(generation(2))
    journal.tend()
    assert sorted(drain(journal)) == ids(1, 2)
    second = state_directories(None)[1]
    assert list((second / destination_name(URL, KEY)).glob("*.seg")) == []
    assert not opened(None).has_leftovers()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_another_place_of_somebody_else_is_left_alone(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody asked for it, so nothing is said; what is ours goes on."""
    second = state_directories(None)[1]
    second.mkdir(parents=True)
    os.chown(second, 12_345, 12_345)
    journal = opened(None)
    assert isinstance(journal, FileJournal)
    assert not journal.has_leftovers()
    journal.append(generation(1))
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        journal.tend()
    assert (drain(journal), caplog.text) == (ids(1), "")


def test_a_home_on_a_network_is_not_used(
    home: Path, on_network: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """A write there may take seconds, and locks are a promise."""
    home.mkdir()
    on_network(home)
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        assert isinstance(opened(None), FileJournal)
    assert "is on a network file system (nfs4): the journal is in" in caplog.text
    assert list(home.iterdir()) == []


def test_where_there_is_no_place_at_all_it_is_in_memory(
    home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning says what that means and what to do; the application runs."""
    home.write_text("no directory")
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / f"ramp_tracing-{os.geteuid()}").symlink_to("/etc")
    with caplog.at_level(logging.WARNING, "ramp_tracing"):
        journal = opened(None)
    assert isinstance(journal, MemoryJournal)
    assert (len(caplog.records), "name a directory with RAMP_TRACING_STATE_DIR" in caplog.text) == (1, True)
    journal.append(generation(1))
    assert journal.counts() == Stats(recorded=1, waiting=1)


@pytest.mark.parametrize("given", [None, "", "relative/place", "~/place", "/srv/state"])
def test_the_users_state_directory_is_that_of_platformdirs(
    home: Path, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    """Which is not imported for it; what is not absolute is ignored, as the specification says."""
    if given is not None:
        monkeypatch.setenv("XDG_STATE_HOME", given)
    place_of_ours = state_directories(None)[0]
    assert place_of_ours == (Path(given) if given == "/srv/state" else home / ".local" / "state") / "ramp_tracing"
    if given in (None, "", "/srv/state"):  # of the others, not every version of it says what the specification does
        assert place_of_ours == platformdirs.user_state_path("ramp_tracing")


def test_on_a_mac_it_is_where_macs_keep_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is not as on Linux."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert state_directories(None)[0] == home / "Library" / "Application Support" / "ramp_tracing"


@pytest.mark.parametrize("nowhere", ["", "relative"])
def test_without_a_home_there_is_the_second_place_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch, nowhere: str
) -> None:
    """So it is in some containers; nothing is made below wherever the program happens to be."""

    def unknown(_: int) -> object:
        raise KeyError

    monkeypatch.setenv("HOME", nowhere)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert [path.parent for path in state_directories(None)] == [place.SECOND_PLACE]


def test_a_home_that_is_not_said_is_in_the_list_of_users(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is for a service that was started without one."""
    monkeypatch.delenv("HOME")
    assert state_directories(None)[0].is_relative_to(pwd.getpwuid(os.getuid()).pw_dir)


def test_importing_the_package_opens_no_library_of_the_system() -> None:
    """That is for who switches it on."""
    code = "import sys, ramp_tracing, ramp_tracing._journal; print({'platformdirs', 'ctypes'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"


def test_who_instruments_does_not_load_what_reads_the_files_of_the_dead(home: Path) -> None:
    """However many records wait there, and whether they do: the thread that sends looks."""
    opened(None).append(generation(1))
    code = """
        import sys
        from ramp_tracing._journal import site_of
        site = site_of(state_dir=None, base_url=%r, key=%r)
        print(site.has_leftovers(), "ramp_tracing._journal._file" in sys.modules)
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", textwrap.dedent(code) % (URL, KEY)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert said.stdout == "True False\n"


# -- file systems


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/var/lib/x", "ext4"),
        ("/home/me/.local", "nfs4"),
        ("/home/local/me", "xfs"),
        ("/homes", "ext4"),
        ("/mnt/with space/x", "fuse.sshfs"),
        ("/data", "cifs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    """Of two on one place the later."""
    assert file_system_of(Path(path), MOUNTS) == kind


def test_where_nobody_can_say_a_disk_is_local(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not every system has such a list."""
    monkeypatch.setattr(file_systems, "MOUNTS", tmp_path / "nowhere")
    assert network_file_system(tmp_path) is None
    assert file_system_of(tmp_path, "") is None


def test_this_machines_own_list_can_be_read(tmp_path: Path) -> None:
    """And says that what is mounted here for programs is no network."""
    assert network_file_system(Path("/proc/self")) is None


def test_one_journal_is_opened_though_a_signal_comes_in_between(tmp_path: Path) -> None:
    """Its handler makes a call, and what that one has written to stays the journal."""

    class Interrupted(place.Site):
        handled: Journal | None = None

        def _opened(self) -> Journal:
            if self.handled is None:
                self.handled = MemoryJournal()
                self.handled = self.journal
            return super()._opened()

    site = Interrupted()
    assert site.journal is site.handled
    assert site.journal is site.handled


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_whoever_the_process_has_become_has_a_place_of_its_own() -> None:
    """Root loads the application, as a server does that takes root away before it works."""
    with TemporaryDirectory(dir="/tmp") as folder:  # pytest's own are root's alone
        Path(folder).chmod(0o777)
        home = Path(folder, "home")
        home.mkdir(0o700)
        code = """
            from ramp_tracing._journal import _file, _place
            _place.SECOND_PLACE = Path(sys.argv[1])
            os.environ["HOME"] = str(_place.SECOND_PLACE / "home")
            site = _place.site_of(state_dir=None, base_url="http://127.0.0.1:9", key="k")
            os.setuid(65534)
            site.journal.append(generation(1))
            files = list(_place.SECOND_PLACE.glob("ramp_tracing-65534/*/*.seg"))
            say(site.journal.counts().waiting, site.journal.in_memory, len(files))
        """
        assert run(code, Path(folder)).split() == ["1", "0", "1"]
