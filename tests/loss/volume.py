"""The disk the data folder stands on: a small tmpfs that can be filled and made read-only; else a plain folder."""

import contextlib
import errno
import os
import resource
import subprocess
from pathlib import Path

BALLAST = "ballast"


class Volume:
    """A small disk of our own where we are root, a plain folder elsewhere."""

    def __init__(self, folder: Path, mib: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.own = os.geteuid() == 0 and self._mount("-t", "tmpfs", "-o", f"size={mib}m,mode=0755", "tmpfs")

    def fill(self) -> None:
        """Leave not one free block. Only where the disk is our own."""
        with (self.folder / BALLAST).open("ab") as ballast:
            for step in (1 << 20, 4096):
                while True:
                    try:
                        os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, step)
                    except OSError as error:
                        if error.errno != errno.ENOSPC:
                            raise
                        break

    def free(self) -> None:
        """Give the space back."""
        (self.folder / BALLAST).unlink(missing_ok=True)

    def make_read_only(self) -> bool:
        """Remount; the kernel says no while a file stands open for writing."""
        return self._mount("-o", "remount,ro")

    def make_writable(self) -> None:
        """Remount."""
        if self.own:
            self._mount("-o", "remount,rw")

    def unmount(self) -> None:
        """Let go of the disk and all that is on it."""
        if self.own:
            subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)

    def _mount(self, *arguments: str) -> bool:
        done = subprocess.run(["mount", *arguments, str(self.folder)], check=False, capture_output=True)
        return done.returncode == 0


def forbid_growth(pid: int) -> None:
    """Writes past the first KiB of any file fail (EFBIG) in this process from now on: a full disk without root."""
    assert pid > 0, "a process id, not ourselves"
    with contextlib.suppress(ProcessLookupError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1024, hard))


def allow_growth(pid: int) -> None:
    """Undo `forbid_growth`; nothing where the process is gone (0)."""
    if not pid:
        return
    with contextlib.suppress(ProcessLookupError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
