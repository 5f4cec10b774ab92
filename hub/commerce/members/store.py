"""Member documents of a page, stored. Canonical model 3.4.

Two channels' people become one member only on an equal *strong* identity in one namespace.
Personal values are compared by keyed hash and sealed before they reach the database. A channel
that is not a member's first source fills gaps but overwrites nothing; of two answers about
consent the more restrictive stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from hub.db.bulk import fetch_in
from hub.db.observed import bind, refs
from hub.db.scope import Changed, Scope
from hub.db.trees import ID, Batch, Row, differences, layout, load, number_parts, overlay, thaw
from hub.records import ABSENT, Consent, Member, MemberIdentity
from hub.records.ids import new_id
from hub.records.shape import places

M = places(Member)
I = places(MemberIdentity)  # noqa: E741 - the identity's places
S = places(Consent)

_RESTRICTIVE = {"unknown": 0, "granted": 1, "withdrawn": 2, "denied": 3}


def store(
    conn: Connection,
    scope: Scope,
    documents: Sequence[tuple[str, Sequence[Any]]],
    archive_ids: Mapping[str, str],
) -> list[Changed]:
    """Store mapped member documents `(key, row)`; the key is the keyed hash of the channel's customer id."""
    known = refs(conn, scope.flow, [key for key, _row in documents])
    identities = _strong(conn, scope, [row for _key, row in documents])
    ids = {key: known.get(key) or _same_person(scope, row, identities) for key, row in documents}
    stored = load(
        conn, Member, scope.merchant_id, sorted({i for i in ids.values() if i}), scope.sealer
    )
    batch = Batch(scope.merchant_id, scope.now, scope.sealer)
    changes: list[Changed] = []
    for key, row in documents:
        member_id, change = _one(
            scope, row, stored.get(ids[key] or ""), batch, archive_ids.get(key)
        )
        ids[key] = member_id
        if change:
            changes.append(change)
    batch.write(conn)
    bind(conn, scope.flow, [(key, member) for key, member in ids.items() if member], scope.now)
    return changes


def _strong(
    conn: Connection, scope: Scope, rows: Sequence[Sequence[Any]]
) -> dict[tuple[str, str, bytes], str]:
    hashes = [
        scope.sealer.index("text", item[I.value])
        for row in rows
        for item in (row[M.identities] or ())
        if item[I.strength] == "strong"
    ]
    found = fetch_in(
        conn,
        "SELECT kind, namespace, value_bidx, member_id FROM member_identity WHERE merchant_id=? "
        "AND strength='strong' AND value_bidx IN ({})",
        (scope.merchant_id,),
        hashes,
    )
    return {(kind, space, bytes(digest)): member for kind, space, digest, member in found}


def _same_person(
    scope: Scope, row: Sequence[Any], identities: Mapping[tuple[str, str, bytes], str]
) -> str | None:
    for item in row[M.identities] or ():
        if item[I.strength] == "strong":
            space = "" if item[I.namespace] is ABSENT else item[I.namespace]
            found = identities.get((item[I.kind], space, scope.sealer.index("text", item[I.value])))
            if found:
                return found
    return None


def _one(
    scope: Scope,
    row: Sequence[Any],
    known: tuple[int, Row] | None,
    batch: Batch,
    archive_id: str | None,
) -> tuple[str, Changed | None]:
    if known is None:
        fresh = thaw(Member, row, new_id("member"))
        fresh[M.source_connection_id] = scope.flow.connection_id
        version, changed = 1, None
    else:
        version, before = known
        fresh = _joined(scope, row, before)
        number_parts(Member, fresh)
        changed = differences(Member, before, fresh)
        if not changed:
            return str(before[ID]), None
        version += 1
    number_parts(Member, fresh)
    _stamp(scope, fresh)
    batch.add(Member, fresh, version=version)
    return str(fresh[ID]), Changed("member", fresh[ID], version, changed, archive_id)


def _stamp(scope: Scope, member: Row) -> None:
    for item in member[M.identities]:
        item[I.first_seen_at] = item[I.first_seen_at] or scope.now
        item[I.last_seen_at] = item[I.last_seen_at] or scope.now
    for consent in member[M.consents]:
        consent[S.evidence] = consent[S.evidence] or f"connection:{scope.flow.connection_id}"


def _joined(scope: Scope, row: Sequence[Any], before: Row) -> Row:
    over = overlay(Member, row, before)
    if before[M.source_connection_id] != scope.flow.connection_id:
        for column in layout(Member).shape.columns:
            if before[column.position] is not None:
                over[column.position] = before[column.position]
    over[M.identities] = _united(
        before[M.identities], over[M.identities], (I.kind, I.namespace, I.value)
    )
    over[M.consents] = _consents(scope, before[M.consents], over[M.consents])
    return over


def _united(old: list[Row], new: list[Row], key: tuple[int, ...]) -> list[Row]:
    """Keep every identity ever seen; one that is seen again keeps its row."""
    known = {tuple(item[k] for k in key): item for item in old}
    out = list(old)
    for item in new:
        if tuple(item[k] for k in key) not in known:
            out.append(item)
    return out


def _consents(scope: Scope, old: list[Row], new: list[Row]) -> list[Row]:
    mine = f"connection:{scope.flow.connection_id}"
    kept = {(item[S.purpose], item[S.channel]): item for item in old}
    for item in new:
        before = kept.get((item[S.purpose], item[S.channel]))
        if before is not None and before[S.evidence] not in {mine, None}:
            stricter = _RESTRICTIVE[item[S.state]] > _RESTRICTIVE[before[S.state]]
            kept[item[S.purpose], item[S.channel]] = item if stricter else before
        else:
            kept[item[S.purpose], item[S.channel]] = item
    return list(kept.values())
