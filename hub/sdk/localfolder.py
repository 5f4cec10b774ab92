"""A folder on this machine for connectors that exchange files. Keeps to `hub.sdk.folder.Folder`.

The root is pinned: absolute names, `..`, control characters and links anywhere below the root
are refused. A file we write or move appears whole under its name or not at all, also after a
power cut; nothing is ever overwritten by a move.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import stat as modes
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, TypeVar

from hub.errors import ChannelError, Forbidden, Rejected, Retry
from hub.sdk.folder import Entry

PART_PREFIX: Final = ".hub-"
PART_SUFFIX: Final = ".part"
NAME_MAX: Final = 1024  # characters of a relative name
_NO_LINKS_HERE: Final = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}

_T = TypeVar("_T")
Entries = list[Entry]


class LocalFolder:
    """The files under `root`. A root that does not exist (yet) is an empty folder."""

    def __init__(self, root: Path | str) -> None:
        self._root = Path(os.path.abspath(root))  # noqa: PTH100 - a link as root is the operator's choice

    def __repr__(self) -> str:
        """Show the folder's own name."""
        return f"<LocalFolder {self._root.name}>"

    async def list(self, pattern: str = "*") -> list[Entry]:
        """Return the files matching a glob, sorted by name; no links, no half-made ones."""
        _parts(pattern)
        return await self._away(lambda: self._list(pattern))

    async def stat(self, name: str) -> Entry | None:
        """Return the file, or None when it is gone."""
        path = self._path(name)
        return await self._away(lambda: self._entry(path))

    async def fetch(self, name: str) -> Path:
        """Return the file's own path. A file that is gone raises `Rejected`."""
        path = self._path(name)
        if await self._away(lambda: self._entry(path)) is None:
            raise Rejected(f"File {path.name!r} is gone.", code="gone")
        return path

    async def rename(self, old: str, new: str) -> bool:
        """Move within the folder, making parents; False when `old` is gone.

        An existing `new` raises `Rejected` and stays. A move that was cut short is
        completed by repeating it.
        """
        source, target = self._path(old), self._path(new)
        return await self._away(lambda: self._rename(source, target))

    async def delete(self, name: str) -> None:
        """Delete a file; one that is gone is fine."""
        path = self._path(name)
        await self._away(lambda: self._delete(path))

    @contextmanager
    def write(self, name: str) -> Iterator[BinaryIO]:
        """Write a file that appears whole, replacing one of that name; errors leave nothing."""
        path = self._path(name)
        with _told(path.name):
            self._make_parents(path)
        part = path.with_name(f"{PART_PREFIX}{secrets.token_hex(8)}{PART_SUFFIX}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            with _told(path.name):
                handle = os.open(part, flags, 0o666)
            with os.fdopen(handle, "wb") as file:
                yield file
                with _told(path.name):
                    file.flush()
                    os.fsync(file.fileno())
            with _told(path.name):
                part.replace(path)
                _sync(path.parent)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    async def _away(self, work: Callable[[], _T]) -> _T:
        def told() -> _T:
            with _told(self._root.name):
                return work()

        return await asyncio.to_thread(told)

    def _path(self, name: str) -> Path:
        """Return the path of a name after refusing everything that could leave the root."""
        path = self._root
        parts = _parts(name)
        for place, part in enumerate(parts, start=1):
            path = path / part
            with suppress(FileNotFoundError, NotADirectoryError):
                mode = path.lstat().st_mode
                if modes.S_ISLNK(mode) or (place < len(parts) and not modes.S_ISDIR(mode)):
                    raise Forbidden(
                        f"File {parts[-1]!r} lies behind a link.", permission="files without links"
                    )
        return path

    def _list(self, pattern: str) -> Entries:
        found = []
        for path in self._root.glob(pattern):
            if path.name.startswith(PART_PREFIX) and path.name.endswith(PART_SUFFIX):
                continue
            with suppress(Forbidden):
                entry = self._entry(self._path(path.relative_to(self._root).as_posix()))
                if entry is not None:
                    found.append(entry)
        return sorted(found, key=lambda entry: entry.name)

    def _entry(self, path: Path) -> Entry | None:
        try:
            seen = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not modes.S_ISREG(seen.st_mode):
            return None
        return Entry(path.relative_to(self._root).as_posix(), seen.st_size, seen.st_mtime)

    def _make_parents(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)

    def _rename(self, source: Path, target: Path) -> bool:
        if self._entry(source) is None:
            return False
        self._make_parents(target)
        try:
            self._claim(source, target)
        except FileExistsError:
            if not source.samefile(target):
                raise Rejected(f"File {target.name!r} exists already.", code="exists") from None
            source.unlink(missing_ok=True)
        except FileNotFoundError:
            return False  # somebody else was quicker
        _sync(target.parent)
        _sync(source.parent)
        return True

    @staticmethod
    def _claim(source: Path, target: Path) -> None:
        """Give the file its new name, never replacing another: a second link or a reserved name.

        Of several that claim at once, one takes the old name away; the others give theirs back.
        """
        last: Callable[[], object] = source.unlink
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS_HERE:
                raise
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW))
            last = partial(source.replace, target)
        try:
            last()
        except FileNotFoundError:
            target.unlink(missing_ok=True)
            raise

    @staticmethod
    def _delete(path: Path) -> None:
        path.unlink(missing_ok=True)


def _parts(name: str) -> tuple[str, ...]:
    pure = PurePosixPath(name)
    odd = "\\" in name or any(letter < " " for letter in name)
    away = pure.is_absolute() or ".." in pure.parts or not pure.parts
    if odd or away or len(name) > NAME_MAX:
        raise Forbidden("A file name leads out of its folder.", permission="files of the folder")
    return pure.parts


def _sync(folder: Path) -> None:
    """Make a change of names survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turn what the system says into what to do next."""
    try:
        yield
    except PermissionError:
        raise Forbidden(
            f"No right to use {name!r}.", permission=f"read and write {name}", code="EACCES"
        ) from None
    except OSError as error:
        raise _retry(name, error) from None


def _retry(name: str, error: OSError) -> ChannelError:
    code = errno.errorcode.get(error.errno or 0, "EIO")
    return Retry(f"The folder of {name!r} does not answer ({code}).", code=code)
