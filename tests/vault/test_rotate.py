"""Rotation may be killed after any step; every row stays readable with its own key id."""

from __future__ import annotations

import pytest

from hub.vault import (
    KeyMissingError,
    MasterKey,
    Resealed,
    Vault,
    key_id_of,
    retire,
    rewrap,
    spent,
    step,
)

OLD, NEW = MasterKey(b"O" * 32), MasterKey(b"N" * 32)
ROWS = 7


class Database:
    """Keys and sealed rows, written one at a time: `left` writes until it dies."""

    def __init__(self):
        self.vault = Vault([OLD])
        self.keys = self.vault.new_keys("m_1")
        ring = self.ring()
        self.rows = {
            n: Resealed(("member", "name", f"r{n}"), ring.seal("member", "name", f"r{n}", f"李{n}"))
            for n in range(ROWS)
        }
        self.left = 10**9

    def ring(self):
        return self.vault.open("m_1", self.keys)

    def write(self, change):
        if self.left == 0:
            raise InterruptedError
        self.left -= 1
        change()

    def readable(self):
        ring = self.ring()
        return [ring.open(*row.place, row.sealed) for row in self.rows.values()]

    def key_ids(self):
        return {key_id_of(row.sealed) for row in self.rows.values()}


def rotate(db):
    """What `hub vault rotate` does: resumes wherever it was stopped."""
    if len([key for key in db.keys if key.purpose == "data"]) == 1:
        fresh = retire(db.vault, "m_1", db.keys)
        db.write(lambda: setattr(db, "keys", fresh))
    ring = db.ring()
    for n, row in db.rows.items():
        for done in step(ring, [row]):
            db.write(lambda n=n, done=done: db.rows.__setitem__(n, done))
    gone = spent(db.keys, db.key_ids())
    rest = [key for key in db.keys if key not in gone]
    db.write(lambda: setattr(db, "keys", rest))


@pytest.mark.parametrize("dies_after", range(ROWS + 2))
def test_a_rotation_killed_anywhere_reads_everything_and_resumes_to_one_key(dies_after):
    db = Database()
    before = db.key_ids()
    db.left = dies_after

    with pytest.raises(InterruptedError):
        rotate(db)
    assert db.readable() == [f"李{n}" for n in range(ROWS)]
    db.left = 10**9
    rotate(db)

    assert db.readable() == [f"李{n}" for n in range(ROWS)]
    assert db.key_ids() == {db.ring().active_key_id}
    assert db.key_ids() != before
    assert len(db.keys) == 2


def test_a_step_over_rows_that_are_done_writes_nothing():
    db = Database()

    rotate(db)

    assert step(db.ring(), db.rows.values()) == []


def test_a_retiring_key_is_kept_while_one_row_needs_it_and_the_index_key_for_ever():
    db = Database()
    old = db.keys[0]
    keys = retire(db.vault, "m_1", db.keys)

    assert spent(keys, {old.key_id}) == []
    assert [key.key_id for key in spent(keys, set())] == [old.key_id]


def test_hashes_stay_the_same_when_the_data_key_changes():
    db = Database()
    before = db.ring().index("phone", "13800138000")

    rotate(db)

    assert db.ring().index("phone", "13800138000") == before


def test_a_key_that_was_taken_away_too_early_is_named():
    db = Database()
    old = db.keys[0].key_id
    db.keys = [key for key in retire(db.vault, "m_1", db.keys) if key.key_id != old]

    with pytest.raises(KeyMissingError, match=f"sealed with key '{old}'"):
        db.readable()


def test_the_master_key_changes_without_touching_a_row():
    db = Database()
    both = Vault([NEW, OLD])
    changed = rewrap(both, db.keys)

    assert len(changed) == 2
    assert rewrap(both, changed) == []
    assert both.master.id == NEW.id
    db.keys, db.vault = changed, Vault([NEW])
    assert db.readable() == [f"李{n}" for n in range(ROWS)]


def test_half_rewrapped_keys_open_while_both_master_keys_are_given():
    db = Database()
    both = Vault([NEW, OLD])
    db.keys[0], db.vault = both.rewrapped(db.keys[0]), both

    assert db.readable() == [f"李{n}" for n in range(ROWS)]
    assert len(rewrap(both, db.keys)) == 1


def test_keys_of_other_merchants_are_not_retired():
    db = Database()
    others = db.vault.new_keys("m_2")

    fresh = retire(db.vault, "m_1", [*db.keys, *others])

    assert {key.merchant_id for key in fresh} == {"m_1"}
    assert [key.state for key in fresh if key.purpose == "data"] == ["retiring", "active"]
