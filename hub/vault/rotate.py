"""Changing keys while the hub runs. Pure steps over rows the caller passes; each may be repeated.

data key     retire -> store both keys -> step over all rows, page by page -> spent -> delete those
master key   give new and old -> rewrap -> store -> take the old one away

Killed anywhere, nothing is lost: every row names the key it was sealed with, the ring opens
both, and a step passes over rows that are done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hub.vault.seal import key_id_of
from hub.vault.vault import Keyring, Vault, WrappedKey


@dataclass(frozen=True, slots=True)
class Resealed:
    """A sealed value and its place without the merchant: `(table, column, row id)` and the like.

    Personal column: `(table, column, row_id)`. Raw document: `(table, "body", row_id)`.
    Secret: `(connection_id, field)`.
    """

    place: tuple[str, ...]
    sealed: bytes


def retire(vault: Vault, merchant_id: str, keys: Iterable[WrappedKey]) -> list[WrappedKey]:
    """Return the merchant's keys with a fresh active data key; the ones before are retiring.

    The caller stores all of them in one transaction; from then on new values use the new key.
    """
    out = [
        replace(key, state="retiring") if key.purpose == "data" else key
        for key in keys
        if key.merchant_id == merchant_id
    ]
    return [*out, vault.new_key(merchant_id, "data")]


def step(ring: Keyring, rows: Iterable[Resealed]) -> list[Resealed]:
    """Seal with the active key what another key sealed; rows that are done are left out.

    The caller writes each result only where the row still holds the bytes it passed in: a
    value that changed meanwhile is sealed with the new key already.
    """
    out = []
    for row in rows:
        if key_id_of(row.sealed) == ring.active_key_id:
            continue
        aad = ring.place(*row.place)
        out.append(Resealed(row.place, ring.seal_at(aad, ring.open_at(aad, row.sealed))))
    return out


def spent(keys: Iterable[WrappedKey], used: Iterable[str]) -> list[WrappedKey]:
    """Return the retiring data keys that no row names any more: they may be deleted.

    `used`: the key ids found on a walk over all sealed columns that began after `retire` was
    stored and found nothing more to do.
    """
    needed = set(used)
    return [
        key
        for key in keys
        if key.purpose == "data" and key.state == "retiring" and key.key_id not in needed
    ]


def rewrap(vault: Vault, keys: Sequence[WrappedKey]) -> list[WrappedKey]:
    """Return the keys that stand under an older master key, wrapped under the present one."""
    return [new for key in keys if (new := vault.rewrapped(key)) is not key]
