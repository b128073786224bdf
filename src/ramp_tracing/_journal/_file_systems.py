"""Which directories are on another machine's disk: there locks are a promise, and a write may take minutes."""

import os
import re
from pathlib import Path
from typing import Final

MOUNTS: Final = Path("/proc/self/mountinfo")

OVER_A_NETWORK: Final = frozenset(
    {
        "9p",
        "acfs",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "fuse.ceph",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.juicefs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "orangefs",
        "pvfs2",
        "smb3",
        "smbfs",
        "wekafs",
    }
)

ESCAPE: Final = r"\\([0-7]{3})"


def network_file_system(path: Path) -> str | None:
    """The kind of network file system that *path* is on, or will be; `None` for a local disk, or if nobody can say."""
    try:
        kind = file_system_of(_nearest(path), os.fsdecode(MOUNTS.read_bytes()))
    except OSError:
        return None
    return kind if kind in OVER_A_NETWORK else None


def file_system_of(path: Path, mounts: str) -> str | None:
    """
    The kind of file system that *path* is on.

    Args:
        path: Without symbolic links.
        mounts: The text of ``/proc/self/mountinfo``.
    """
    inside, nearest = f"{path}/", ""
    found: str | None = None
    for line in mounts.splitlines():
        mount, _, source = line.partition(" - ")
        fields, kind = mount.split(), source.partition(" ")[0]
        if len(fields) < 5:
            continue
        point = re.sub(ESCAPE, _unescaped, fields[4]).rstrip("/") + "/"
        # Texts, and no paths: some machines have a thousand mounts. Of two on the same point the later covers the
        # earlier.
        if inside.startswith(point) and len(point) >= len(nearest):
            nearest, found = point, kind
    return found


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 8))


def _nearest(path: Path) -> Path:
    """*path*, or the closest directory above it that exists, without symbolic links."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return Path(os.path.realpath(path))
