"""The type of the file system that a path lies on."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# Prefixes of types as in /proc/self/mountinfo: "fuse" covers fuse.sshfs, "nfs" covers nfs4.
NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "fuse",
    "ceph",
    "glusterfs",
    "lustre",
    "afs",
    "vboxsf",
    "prl_fs",
    "virtiofs",
)


def is_on_network(path: Path) -> bool:
    """Return True if a path, or its nearest existing parent, lies on a network file system."""
    return filesystem_of(path).startswith(NETWORK)


def filesystem_of(path: Path) -> str:
    """Return the type of the file system as mount(8) names it; "" where it is unknown."""
    real = Path(os.path.realpath(path))
    while not real.exists() and real != real.parent:
        real = real.parent
    longest, found = -1, ""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
            fields, _, rest = line.partition(" - ")  # proc_pid_mountinfo(5)
            mount = Path(fields.split()[4].encode().decode("unicode_escape"))
            is_parent = mount in (real, *real.parents)
            if is_parent and len(str(mount)) >= longest:
                longest, found = len(str(mount)), rest.split()[0]
    return found
