"""Credentials and personal data sealed at rest, opened for one merchant at a time.

The vault holds no database: it is given wrapped keys and hands out wrapped keys, sealed bytes
and keyed hashes for its caller to store.
"""

from __future__ import annotations

from hub.vault.master import MasterKey, from_command, from_environment, from_file, make_file
from hub.vault.rotate import Resealed, retire, rewrap, spent, step
from hub.vault.seal import KeyMissingError, SealError, blind_index, key_id_of, normalised
from hub.vault.vault import ROTATE_AT, Keyring, Vault, WrappedKey

__all__ = [
    "ROTATE_AT",
    "KeyMissingError",
    "Keyring",
    "MasterKey",
    "Resealed",
    "SealError",
    "Vault",
    "WrappedKey",
    "blind_index",
    "from_command",
    "from_environment",
    "from_file",
    "key_id_of",
    "make_file",
    "normalised",
    "retire",
    "rewrap",
    "spent",
    "step",
]
