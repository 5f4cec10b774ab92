"""Member documents of a page, stored. Canonical model 3.4.

Two channels' people become one member only on an equal *strong* identity in one namespace.
Personal values are compared by keyed hash and sealed before they reach the database. A channel
that is not a member's first source fills gaps but overwrites nothing; of two answers about
consent the more restrictive stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from hub.db.bulk import execute_many, fetch_in
from hub.db.observed import bind, refs
from hub.db.scope import Changed, Scope
from hub.db.trees import Batch, differences, layout, load, number_parts, overlay
from hub.records import ABSENT, Consent, Member, MemberIdentity
from hub.records.ids import new_id
from hub.records.rows import ID, Row, thaw
from hub.records.shape import places

M = places(Member)
I = places(MemberIdentity)  # noqa: E741 - the identity's places
S = places(Consent)

_STRENGTH = {"weak": 0, "medium": 1, "strong": 2}
_RESTRICTIVE = {"unknown": 0, "granted": 1, "withdrawn": 2, "denied": 3}


Name = tuple[str, str, bytes]
"""(kind, namespace, keyed hash): one way to know a person."""


@dataclass(slots=True)
class _Owner:
    """Whose an identity is, how strongly, and its row."""

    member_id: str
    strength: str
    row_id: str
    is_stored: bool


@dataclass(slots=True)
class _Page:
    """The members and identities one page of documents touches, as they stand after each document."""

    scope: Scope
    owners: dict[Name, _Owner]
    members: dict[str, tuple[int, Row]]
    gone: list[str] = field(default_factory=list)


def store(
    conn: Connection,
    scope: Scope,
    documents: Sequence[tuple[str, Sequence[Any]]],
    archive_ids: Mapping[str, str],
) -> list[Changed]:
    """Store mapped member documents `(key, row)`; the key is the keyed hash of the channel's customer id."""
    ids: dict[str, str] = dict(refs(conn, scope.flow, [key for key, _row in documents]))
    owners = _owners(conn, scope, [row for _key, row in documents])
    wanted = {*ids.values(), *(owner.member_id for owner in owners.values())}
    page = _Page(scope, owners, load(conn, Member, scope.merchant_id, sorted(wanted), scope.sealer))
    changes: list[Changed] = []
    for key, row in documents:
        member_id = ids.get(key) or _same_person(page, row)
        ids[key], change = _one(page, row, member_id, archive_ids.get(key))
        if change:
            changes.append(change)
    execute_many(
        conn,
        "DELETE FROM member_identity WHERE merchant_id=? AND id=?",
        [(scope.merchant_id, row_id) for row_id in page.gone],
    )
    batch = Batch(scope.merchant_id, scope.now, scope.sealer)
    for member_id in dict.fromkeys(change.record_id for change in changes):
        version, member = page.members[member_id]
        batch.add(Member, member, version=version)
    batch.write(conn)
    bind(conn, scope.flow, ids.items(), scope.now)
    return changes


def _name(scope: Scope, item: Sequence[Any]) -> Name:
    space = "" if item[I.namespace] is ABSENT else item[I.namespace]
    return item[I.kind], space, scope.sealer.index("text", item[I.value])


def _owners(conn: Connection, scope: Scope, rows: Sequence[Sequence[Any]]) -> dict[Name, _Owner]:
    names = {_name(scope, item) for row in rows for item in (row[M.identities] or ())}
    found = fetch_in(
        conn,
        "SELECT kind, namespace, value_bidx, member_id, strength, id FROM member_identity WHERE merchant_id=? "
        "AND value_bidx IN ({})",
        (scope.merchant_id,),
        sorted({digest for _kind, _space, digest in names}),
    )
    return {
        (kind, space, bytes(digest)): _Owner(member, strength, row_id, is_stored=True)
        for kind, space, digest, member, strength, row_id in found
    }


def _same_person(page: _Page, row: Sequence[Any]) -> str | None:
    """Return the member known by an equal identity that is strong on both sides."""
    for item in row[M.identities] or ():
        if item[I.strength] == "strong":
            owner = page.owners.get(_name(page.scope, item))
            if owner is not None and owner.strength == "strong":
                return owner.member_id
    return None


def _one(
    page: _Page, row: Sequence[Any], member_id: str | None, archive_id: str | None
) -> tuple[str, Changed | None]:
    scope = page.scope
    known = page.members.get(member_id or "")
    if known is None:
        fresh = thaw(Member, row, new_id("member"))
        fresh[M.source_connection_id] = scope.flow.connection_id
        fresh[M.identities] = _united([], fresh[M.identities])
        fresh[M.consents] = _consents(scope, [], fresh[M.consents])
        version = 1
    else:
        version = known[0] + 1
        fresh = _joined(scope, row, known[1])
    number_parts(Member, fresh)
    _claim(page, fresh)
    changed = differences(Member, known[1], fresh) if known else None
    if known and not changed:
        return str(fresh[ID]), None
    _stamp(scope, fresh)
    page.members[fresh[ID]] = version, fresh
    return str(fresh[ID]), Changed("member", fresh[ID], version, changed, archive_id)


def _claim(page: _Page, member: Row) -> None:
    """Let an identity stand with one member: who knows it more strongly has it, else who had it first.

    An equal weak value (two people, one family phone) is a hint, not a second owner.
    """
    kept = []
    for item in member[M.identities]:
        name = _name(page.scope, item)
        owner = page.owners.get(name)
        mine = owner is not None and owner.member_id == member[ID]
        if owner is not None and not mine:
            if _STRENGTH[item[I.strength]] <= _STRENGTH[owner.strength]:
                continue
            _take_away(page, owner)
        stored = owner is not None and mine and owner.is_stored
        page.owners[name] = _Owner(member[ID], item[I.strength], item[ID], stored)
        kept.append(item)
    member[M.identities] = kept


def _take_away(page: _Page, owner: _Owner) -> None:
    if owner.is_stored:
        page.gone.append(owner.row_id)
    other = page.members.get(owner.member_id)
    if other is not None:
        member = other[1]
        member[M.identities] = [i for i in member[M.identities] if i[ID] != owner.row_id]


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
    over[M.identities] = _united(before[M.identities], over[M.identities])
    over[M.consents] = _consents(scope, before[M.consents], over[M.consents])
    return over


def _united(old: list[Row], new: list[Row]) -> list[Row]:
    """Keep every identity ever seen; one that is seen again keeps its row, and the greater strength."""
    out = {(item[I.kind], item[I.namespace], item[I.value]): item for item in old}
    for item in new:
        name = (item[I.kind], item[I.namespace], item[I.value])
        known = out.get(name)
        if known is None or _STRENGTH[item[I.strength]] > _STRENGTH[known[I.strength]]:
            out[name] = item
    return list(out.values())


def _consents(scope: Scope, old: list[Row], new: list[Row]) -> list[Row]:
    mine = f"connection:{scope.flow.connection_id}"
    kept = {(item[S.purpose], item[S.channel]): item for item in old}
    for item in new:
        before = kept.get((item[S.purpose], item[S.channel]))
        if before is not None and before[S.evidence] not in {mine, None}:
            if _RESTRICTIVE[item[S.state]] > _RESTRICTIVE[before[S.state]]:
                item[S.evidence] = mine  # so that the milder one does not come back as its own
                kept[item[S.purpose], item[S.channel]] = item
        else:
            kept[item[S.purpose], item[S.channel]] = item
    return list(kept.values())
