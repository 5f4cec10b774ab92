"""Key rotation over the database: retire the data key, seal every row anew, delete the spent key.

Each page is its own transaction and each row is changed only where it still holds what was
read, so it may run beside live sync and be killed anywhere. The walk is repeated until a whole
pass finds nothing to move, and only a key that no row names is deleted: another process may
have sealed with the old one meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hub.db import Connection, keys
from hub.db.bulk import change
from hub.db.tables import CANONICAL
from hub.records.time import to_text
from hub.sync.engine import Engine
from hub.vault import Keyring, Resealed, Vault, WrappedKey, key_id_of, retire, spent, step

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed column: where its rows are, and how a row's place in the vault is named."""

    table: str
    column: str
    row_key: str
    place: tuple[str, str] | None
    """(table, column) of the place; None for a secret, whose place is (connection, field)."""


def sealed_columns() -> Iterator[Sealed]:
    """Name every sealed column there is, from the tables themselves."""
    for name, model in CANONICAL.items():
        for column in model.__table__.columns:  # type: ignore[attr-defined] # SQLModel sets it
            if column.name.endswith("_enc"):
                yield Sealed(name, column.name, "id", (name, column.name.removesuffix("_enc")))
    yield Sealed("archive", "body", "id", ("archive", "body"))
    yield Sealed("held", "document", "external_id", ("held", "body"))
    yield Sealed("connection_secret", "sealed", "field", None)


async def rotate(engine: Engine, vault: Vault, merchant_id: str) -> int:
    """Give a merchant a fresh data key and move everything to it; returns how many values moved."""
    rows = await engine.db.read(keys.keys, merchant_id)
    wrapped = [WrappedKey(*row) for row in rows]  # type: ignore[arg-type] # checked by the vault
    if not any(key.state == "retiring" for key in wrapped):
        wrapped = retire(vault, merchant_id, wrapped)
        await engine.db.write(keys.put_keys, [_row(key) for key in wrapped], to_text(engine.now()))
    ring = vault.open(merchant_id, wrapped)
    moved = 0
    while True:
        used: set[str] = set()
        before = moved
        for place in sealed_columns():
            moved += await _column(engine, ring, merchant_id, place, used)
        if moved == before:
            break
    gone = spent(wrapped, used)
    await engine.db.write(keys.forget_keys, merchant_id, [key.key_id for key in gone])
    return moved


def _row(key: WrappedKey) -> keys.KeyRow:
    return key.merchant_id, key.key_id, key.purpose, key.wrapped, key.state, key.seals


async def _column(
    engine: Engine, ring: Keyring, merchant_id: str, place: Sealed, used: set[str]
) -> int:
    moved = 0
    after: tuple[str, ...] = ("", "")
    while True:
        page = await engine.db.read(
            keys.sealed_page, merchant_id, place.table, place.column, place.row_key, after, _PAGE
        )
        if not page:
            return moved
        after = page[-1][:2]
        old = [(row, _reseal(place, row)) for row in page]
        used |= {key_id_of(item.sealed) for _row, item in old}
        todo = [(row, item) for row, item in old if key_id_of(item.sealed) != ring.active_key_id]
        fresh = step(ring, [item for _row, item in todo])
        await engine.db.write(
            _store,
            merchant_id,
            place,
            [(row, new.sealed) for (row, _i), new in zip(todo, fresh, strict=True)],
        )
        moved += len(fresh)
        engine.observe(
            "page.resealed", {"table": place.table, "rows": len(page), "count": len(fresh)}
        )


def _reseal(place: Sealed, row: tuple[str, str, bytes]) -> Resealed:
    if place.place is None:
        return Resealed((row[0], row[1]), row[2])
    return Resealed((*place.place, row[1]), row[2])


def _store(
    conn: Connection,
    merchant_id: str,
    place: Sealed,
    rows: list[tuple[tuple[str, str, bytes], bytes]],
) -> None:
    """Change rows that still hold what was read."""
    owner = "connection_id" if place.place is None else "id"
    for (first, second, before), after in rows:
        change(
            conn,
            f'UPDATE "{place.table}" SET {place.column}=? WHERE merchant_id=? AND {owner}=? '  # noqa: S608 - our own columns
            f"AND {place.row_key}=? AND {place.column}=?",
            (after, merchant_id, first, second, before),
        )
