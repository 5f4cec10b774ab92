"""The master key: where it comes from, and the wrapping of data keys under it.

It comes from a file (mode 0600, else refused), the environment, or a command; as base64 of 32
bytes. It never stands in the database. Several may be given at once: the first wraps, all unwrap.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import shlex
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from hub.errors import ConfigError
from hub.vault.seal import KEY_BYTES, seal, unseal_with

VARIABLE: Final = "HUB_MASTER_KEY"
COMMAND_S: Final = 15.0  # seconds a key command may take
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class MasterKey:
    """One master key. Nothing shows it; its `id` is a hash and tells which one wrapped a key."""

    __slots__ = ("__key", "id")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ConfigError(f"A master key has {KEY_BYTES} bytes, base64-encoded.")
        self.__key = key
        self.id = "m" + hmac.digest(key, b"channelhub master key id", "sha256").hex()[:12]

    def wrap(self, key: bytes, aad: bytes) -> bytes:
        """Seal a data key for the place it is kept at."""
        return seal(self.__key, self.id, key, aad)

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """Open a data key that this master key wrapped."""
        return unseal_with(self.__key, self.id, wrapped, aad)

    def __repr__(self) -> str:
        """Show the id only."""
        return f"<MasterKey {self.id}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError("a master key is not pickled")


def from_text(text: str, source: str) -> MasterKey:
    """Read the base64 form. The error names the source and never the text."""
    try:
        return MasterKey(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError, ConfigError):
        raise ConfigError(
            f"{source} does not hold a master key: {KEY_BYTES} bytes in base64 are needed.",
            key="vault.master_key_file",
        ) from None


def from_file(path: Path) -> MasterKey:
    """Read the key file; refuse one that others can read or write."""
    try:
        with path.open("rb") as file:
            seen = os.fstat(file.fileno())
            content = file.read(1024)
    except OSError as error:
        raise ConfigError(
            f"The master key file {path.name!r} cannot be read ({error.strerror}).",
            key="vault.master_key_file",
        ) from None
    if seen.st_mode & _OTHERS:
        raise ConfigError(
            f"The master key file {path.name!r} has mode {stat.S_IMODE(seen.st_mode):04o}; "
            "it must be 0600, readable by the hub alone.",
            key="vault.master_key_file",
            hint=f"chmod 600 {path.name}",
        )
    return from_text(content.decode("ascii", "replace"), f"The file {path.name!r}")


def from_environment(
    environment: Mapping[str, str] = os.environ, name: str = VARIABLE
) -> MasterKey | None:
    """Read the key from a variable; None when it is not set."""
    text = environment.get(name)
    return from_text(text, f"The variable {name}") if text else None


def from_command(command: str) -> MasterKey:
    """Run a command without a shell and read the key from its output."""
    parts = shlex.split(command)
    if not parts:
        raise ConfigError("The command for the master key is empty.")
    try:
        run = subprocess.run(  # noqa: S603 - the operator's own setting, no shell
            parts, capture_output=True, timeout=COMMAND_S, check=True, text=True, errors="replace"
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(
            f"The command for the master key failed ({type(error).__name__})."
        ) from None
    return from_text(run.stdout, "The command for the master key")


def make_file(path: Path) -> MasterKey:
    """Read the key file, making it first if there is none. Two that start at once agree on one key."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            _take_name(part, path)
        finally:
            part.unlink(missing_ok=True)
    return from_file(path)


def _take_name(part: Path, path: Path) -> None:
    """Give the finished file its name unless another start was quicker."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
