"""One data key and one index key per merchant, and everything sealed with them.

master key --wraps--> data key  --seals--> secrets, personal columns, raw documents
             '----> index key --hashes-> blind indexes (a key of its own, never the data key)

A `Keyring` is one merchant's keys, open. Old keys stay in it as long as rows need them: each
sealed value names its own. Places (associated data):

    secret            merchant | connection | field
    personal column   merchant | table | column | row id
    raw document      merchant | table | body | row id
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.vault.master import MasterKey
from hub.vault.seal import (
    KEY_BYTES,
    NONCE_BYTES,
    KeyMissingError,
    SealError,
    frame,
    indexer,
    key_id_of,
    unseal,
)

ROTATE_AT: Final = (
    2**31
)  # seals with one key, then a new one is due (ASVS 11.3.4; the limit is 2^32)
SEALS_MAX: Final = 2**32 - 2**20  # seals with one key, then it refuses
BODY: Final = "body"

Purpose = Literal["data", "index"]
State = Literal["active", "retiring"]


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key as the database keeps it. `seals`: how many values it sealed, as last counted.

    One key per purpose is `active`; `retiring` ones only open, until no row needs them.
    """

    merchant_id: str
    key_id: str
    purpose: Purpose
    wrapped: bytes
    state: State = "active"
    seals: int = 0

    @property
    def aad(self) -> bytes:
        """Return the place it is wrapped for: a key copied to another merchant does not unwrap."""
        return f"{self.merchant_id}|{self.key_id}|{self.purpose}".encode()


class Vault:
    """Makes and opens merchants' keys. Knows master keys only; the first one wraps."""

    __slots__ = ("_masters",)

    def __init__(self, masters: Sequence[MasterKey]) -> None:
        if not masters:
            raise ValueError("a vault needs a master key")
        self._masters = {master.id: master for master in reversed(masters)}

    def __repr__(self) -> str:
        """Show the ids of the master keys."""
        return f"<Vault {', '.join(self._masters)}>"

    @property
    def master(self) -> MasterKey:
        """Return the master key that wraps."""
        return list(self._masters.values())[-1]

    def new_key(self, merchant_id: str, purpose: Purpose) -> WrappedKey:
        """Make a key for a merchant, wrapped, to be stored by the caller."""
        if "|" in merchant_id:
            raise ValueError("a merchant id has no '|'")
        blank = WrappedKey(merchant_id, f"k{secrets.token_hex(5)}", purpose, b"")
        return self._wrapped(blank, secrets.token_bytes(KEY_BYTES))

    def new_keys(self, merchant_id: str) -> list[WrappedKey]:
        """Make what a new merchant needs: a data key and an index key."""
        return [self.new_key(merchant_id, "data"), self.new_key(merchant_id, "index")]

    def open(self, merchant_id: str, keys: Iterable[WrappedKey]) -> Keyring:
        """Open one merchant's keys."""
        mine = [key for key in keys if key.merchant_id == merchant_id]
        return Keyring(merchant_id, [(key, self._unwrapped(key)) for key in mine])

    def rewrapped(self, key: WrappedKey) -> WrappedKey:
        """Return the key under the present master key; the same object if it is already."""
        if key_id_of(key.wrapped) == self.master.id:
            return key
        return self._wrapped(key, self._unwrapped(key))

    def _wrapped(self, key: WrappedKey, plain: bytes) -> WrappedKey:
        wrapped = self.master.wrap(plain, key.aad)
        return WrappedKey(
            key.merchant_id, key.key_id, key.purpose, wrapped, key.state, key.seals
        )  # fmt: skip

    def _unwrapped(self, key: WrappedKey) -> bytes:
        wanted = key_id_of(key.wrapped)
        master = self._masters.get(wanted)
        if master is None:
            raise KeyMissingError(
                f"The keys of merchant {key.merchant_id!r} are wrapped under master key {wanted!r}; "
                f"given: {', '.join(self._masters)}.",
                hint="Give the hub the master key file this database was made with.",
            )
        return master.unwrap(key.wrapped, key.aad)


class Keyring:
    """One merchant's keys, open: seals, opens and indexes. Keep it no longer than the work."""

    __slots__ = ("_active", "_before", "_ciphers", "_frame", "_index", "_merchant", "_sealed")

    def __init__(self, merchant_id: str, keys: Sequence[tuple[WrappedKey, bytes]]) -> None:
        self._merchant = merchant_id
        self._ciphers = {k.key_id: AESGCM(plain) for k, plain in keys if k.purpose == "data"}
        self._active, self._before = _active(merchant_id, [k for k, _ in keys])
        ordered = sorted(keys, key=lambda pair: pair[0].state)  # "active" before "retiring"
        self._index = [indexer(plain) for k, plain in ordered if k.purpose == "index"]
        self._frame = frame(self._active)
        self._sealed = 0
        if not self._index:
            raise KeyMissingError(f"Merchant {merchant_id!r} has no index key.")

    def __repr__(self) -> str:
        """Show whose it is and the ids of its keys."""
        return f"<Keyring of {self._merchant}: {', '.join(self._ciphers)}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError("a keyring is not pickled")

    @property
    def active_key_id(self) -> str:
        """Return the id of the data key that seals."""
        return self._active

    @property
    def sealed(self) -> int:
        """Return how many values this keyring sealed: add it to the key's row with the rows it sealed."""
        return self._sealed

    @property
    def rotation_is_due(self) -> bool:
        """Tell whether the data key has sealed so much that a new one is wanted."""
        return self._before + self._sealed >= ROTATE_AT

    def seal(self, table: str, column: str, row_id: str, value: str) -> bytes:
        """Seal one personal value, bound to its place."""
        aad = f"{self._merchant}|{table}|{column}|{row_id}".encode()
        return self.seal_at(aad, value.encode("utf-8", "surrogatepass"))

    def open(self, table: str, column: str, row_id: str, sealed: bytes) -> str:
        """Open one personal value; one moved from another place does not open."""
        aad = f"{self._merchant}|{table}|{column}|{row_id}".encode()
        return self.open_at(aad, sealed).decode("utf-8", "surrogatepass")

    def seal_many(
        self, table: str, column: str, values: Iterable[tuple[str, str | None]]
    ) -> list[bytes | None]:
        """Seal a column of (row id, value) in order; None stays None."""
        pairs = list(values)
        self._count(sum(value is not None for _, value in pairs))
        head, encrypt = self._frame, self._ciphers[self._active].encrypt
        start, rolls = f"{self._merchant}|{table}|{column}|", os.urandom(NONCE_BYTES * len(pairs))
        out: list[bytes | None] = []
        for place, (row_id, value) in enumerate(pairs):
            if value is None:
                out.append(None)
                continue
            nonce = rolls[place * NONCE_BYTES : (place + 1) * NONCE_BYTES]
            text = value.encode("utf-8", "surrogatepass")
            out.append(head + nonce + encrypt(nonce, text, (start + row_id).encode()))
        return out

    def seal_blob(self, table: str, row_id: str, body: bytes) -> bytes:
        """Seal a raw document, bound to its row."""
        return self.seal_at(f"{self._merchant}|{table}|{BODY}|{row_id}".encode(), body)

    def open_blob(self, table: str, row_id: str, sealed: bytes) -> bytes:
        """Open a raw document."""
        return self.open_at(f"{self._merchant}|{table}|{BODY}|{row_id}".encode(), sealed)

    def seal_secret(self, connection_id: str, name: str, value: str) -> bytes:
        """Seal a field of a connection's form, bound to connection and field."""
        return self.seal_at(self._secret_place(connection_id, name), value.encode())

    def open_secret(self, connection_id: str, name: str, sealed: bytes) -> str:
        """Open a field of a connection's form. Wrap what comes out in a `Secret` or use it at once."""
        return self.open_at(self._secret_place(connection_id, name), sealed).decode()

    def index(self, kind: str, value: str) -> bytes:
        """Return the keyed hash that finds equal values, under the active index key."""
        return self._index[0](kind, value)

    def indexes(self, kind: str, value: str) -> list[bytes]:
        """Return the hash under every index key, the active one first: for look-ups while re-indexing."""
        return [index(kind, value) for index in self._index]

    def place(self, *parts: str) -> bytes:
        """Return the associated data of a place of this merchant."""
        return "|".join((self._merchant, *parts)).encode()

    def seal_at(self, aad: bytes, plaintext: bytes) -> bytes:
        """Seal bytes for a place made by `place`."""
        self._count(1)
        nonce = os.urandom(NONCE_BYTES)
        return self._frame + nonce + self._ciphers[self._active].encrypt(nonce, plaintext, aad)

    def open_at(self, aad: bytes, sealed: bytes) -> bytes:
        """Open bytes from a place made by `place`, with the key they name."""
        key_id = key_id_of(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise KeyMissingError(
                f"This value was sealed with key {key_id!r}, which merchant {self._merchant!r} "
                f"does not have; it has: {', '.join(self._ciphers)}."
            )
        return unseal(cipher, sealed, aad)

    def _secret_place(self, connection_id: str, name: str) -> bytes:
        if "|" in connection_id or "|" in name:
            raise ValueError("a connection id or field name has no '|'")
        return self.place(connection_id, name)

    def _count(self, seals: int) -> None:
        self._sealed += seals
        if self._before + self._sealed > SEALS_MAX:
            raise SealError(
                f"Key {self._active!r} has sealed as much as one key may.", hint="hub vault rotate"
            )


def _active(merchant_id: str, keys: Sequence[WrappedKey]) -> tuple[str, int]:
    active = [key for key in keys if key.purpose == "data" and key.state == "active"]
    if len(active) != 1:
        raise KeyMissingError(
            f"Merchant {merchant_id!r} has {len(active)} active data keys instead of one."
        )
    return active[0].key_id, active[0].seals
