"""A folder a connector may use: list, stat, open, rename, delete, and nothing outside it.

Implementations live with the engine (local disk) and with optional extras (SFTP); both keep
to these words. Names are relative with `/`, never absolute, never with `..`; links are not
followed.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its relative name, size, and last change as a POSIX timestamp."""

    name: str
    size_bytes: int
    mtime_s: float


class Folder(Protocol):
    """Files of one connection. Calls may raise `Retry` (gone network) or `Forbidden` (no right)."""

    async def list(self, pattern: str = "*") -> list[Entry]:
        """Return the files matching a glob, sorted by name. A missing folder is an empty one."""

    async def stat(self, name: str) -> Entry | None:
        """Return the file, or None when it is gone."""

    async def fetch(self, name: str) -> Path:
        """Return a local path to read the file from; for local folders the file itself."""

    async def rename(self, old: str, new: str) -> bool:
        """Move within the folder, making parents; atomic. False when `old` is gone.

        An existing `new` is refused (`Rejected`); neither file changes.
        """

    async def delete(self, name: str) -> None:
        """Delete a file; one that is gone is fine."""

    def write(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Write a file so that it appears whole, replacing one of that name.

        Temporary name, flush, fsync, rename, fsync of the folder. An error inside leaves
        nothing behind.
        """
