"""S1-S4: a shelf beside a simple model, through every order a merchant's day may take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hub.commerce import stock
from hub.commerce.stock import Audience, Claim, Count, Entry
from hub.db import Database
from hub.db.bulk import fetch, insert
from hub.db.flows import Flow
from hub.db.migrate import migrate
from hub.db.scope import Scope
from hub.records.time import to_text
from tests.sync.channels import START
from tests.sync.world import VAULT, wipe

MERCHANT, CONNECTION = "mer_1", "con_1"
SPOT = ("var_1", "loc_1")
ORDERS = 4


class Order:
    """The model's order: how much is wanted, gone, and back."""

    def __init__(self, wanted: int) -> None:
        self.version, self.wanted, self.gone, self.back = 0, wanted, 0, 0
        self.placed, self.moved = "", ""
        self.is_cancelled = False

    @property
    def promised(self) -> int:
        return 0 if self.is_cancelled else self.wanted - self.gone


class Shelf(RuleBasedStateMachine):
    """One SKU at one place. The model knows when each thing moved; a count knows what moved before it."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.db = Database(self.url)
        wipe(self.db.engine)
        self.ring = VAULT.open(MERCHANT, VAULT.new_keys(MERCHANT))
        self.at = START
        self.orders: dict[int, Order] = {}
        self.counted: tuple[str, int] | None = None
        self.moves: list[tuple[str, int]] = []
        self.cases = 0

    def teardown(self) -> None:
        self.db.engine.dispose()
        self.db._close()

    # --- helpers ------------------------------------------------------------------------------

    def now(self) -> str:
        self.at += timedelta(seconds=1)
        return to_text(self.at)

    def scope(self) -> Scope:
        return Scope(Flow(MERCHANT, CONNECTION, "order"), to_text(self.at), self.ring, "test")

    def apply(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self.db.engine.begin() as conn:
            return fn(conn, self.scope(), *args, **kwargs)

    def claim(self, number: int) -> None:
        """Tell the ledger what an order claims now, twice: the second changes nothing (S3)."""
        order = self.orders[number]
        line = f"ord_{number}-l1"
        claim = Claim(
            f"ord_{number}",
            order.version,
            line,
            SPOT,
            0,
            order.promised,
            order.gone,
            order.moved or order.placed,
        )
        known = {line: order.version} if order.version > 1 else {}
        self.apply(stock.settle, [claim], changed_lines=known)
        before = self.stored()
        assert self.apply(stock.settle, [claim], changed_lines={line: order.version}) == set()
        assert self.stored() == before

    def stored(self) -> list[tuple[Any, ...]]:
        with self.db.engine.begin() as conn:
            return fetch(
                conn,
                "SELECT seq, entry_type, delta_on_hand, delta_reserved FROM stock_ledger ORDER BY seq",
            )

    def move(self, delta: int, when: str) -> None:
        self.moves.append((when, delta))

    # --- what may happen ----------------------------------------------------------------------

    @initialize()
    def a_known_variant_and_place(self) -> None:
        with self.db.engine.begin() as conn:
            at = self.now()
            insert(
                conn, "variant",
                ("merchant_id", "id", "created_at", "updated_at", "version", "sku", "kind", "unit", "quantity_scale",
                 "batch_tracked", "serial_tracked"),
                [(MERCHANT, SPOT[0], at, at, 1, "SKU-1", "simple", "C62", 0, False, False)],
            )  # fmt: skip
            stock.link_places(
                conn, MERCHANT, CONNECTION, [stock.Place("P1", "Main")], at, "warehouse"
            )
            conn.exec_driver_sql(f"UPDATE external_ref SET internal_id='{SPOT[1]}'")  # noqa: S608

    @rule(number=st.integers(0, ORDERS - 1), wanted=st.integers(1, 5))
    def order_comes(self, number: int, wanted: int) -> None:
        if number not in self.orders:
            order = self.orders[number] = Order(wanted)
            order.version, order.placed = 1, self.now()
            self.claim(number)

    @rule(number=st.integers(0, ORDERS - 1), gone=st.integers(1, 5))
    def ships(self, number: int, gone: int) -> None:
        order = self.orders.get(number)
        if order and not order.is_cancelled and order.gone < order.wanted:
            leaving = min(gone, order.wanted - order.gone)
            order.gone += leaving
            order.version, order.moved = order.version + 1, self.now()
            self.move(-leaving, order.moved)
            self.claim(number)

    @rule(number=st.integers(0, ORDERS - 1))
    def is_cancelled(self, number: int) -> None:
        order = self.orders.get(number)
        if order and not order.is_cancelled:
            order.is_cancelled, order.version = True, order.version + 1
            self.claim(number)

    @rule(number=st.integers(0, ORDERS - 1))
    def is_voided(self, number: int) -> None:
        order = self.orders.get(number)
        if order and order.gone and not order.back:
            order.version, order.moved = order.version + 1, self.now()
            self.move(order.gone, order.moved)
            order.is_cancelled, order.gone = True, 0
            self.claim(number)

    @rule(number=st.integers(0, ORDERS - 1), quantity=st.integers(1, 3))
    def comes_back(self, number: int, quantity: int) -> None:
        order = self.orders.get(number)
        if order and order.gone - order.back >= quantity:
            when, self.cases = self.now(), self.cases + 1
            order.back += quantity
            self.move(quantity, when)
            entry = Entry(
                SPOT,
                "return_in",
                "after_sale",
                f"aft_{self.cases}",
                f"aft_{self.cases}-l1",
                when,
                on_hand=quantity,
            )
            self.apply(stock.take_back, [entry])
            self.apply(stock.take_back, [entry])

    @precondition(lambda self: self.counted is None)
    @rule(found=st.integers(0, 9), ago=st.integers(0, 12))
    def is_counted(self, found: int, ago: int) -> None:
        """The first count, which may be told late: what moved after its instant is on top of it."""
        self.now()
        when = to_text(self.at - timedelta(seconds=ago))
        self.counted = (when, found)
        self.apply(stock.open_counts, [Count(SPOT, 0, found, 0, when)])

    @precondition(lambda self: self.counted is not None)
    @rule(found=st.integers(0, 9))
    def is_counted_again(self, found: int) -> None:
        self.apply(stock.open_counts, [Count(SPOT, 0, found, 0, self.now())])

    # --- what must hold -----------------------------------------------------------------------

    @invariant()
    def the_level_is_its_ledgers_sum(self) -> None:
        with self.db.engine.begin() as conn:
            assert stock.prove(conn, MERCHANT) == []
        running = [0, 0]
        with self.db.engine.begin() as conn:
            rows = fetch(
                conn,
                "SELECT seq, delta_on_hand, delta_reserved, on_hand_after, reserved_after FROM stock_ledger "
                "ORDER BY seq",
            )
        for number, (seq, on_hand, reserved, on_hand_after, reserved_after) in enumerate(
            rows, start=1
        ):
            running = [running[0] + on_hand, running[1] + reserved]
            assert (seq, on_hand_after, reserved_after) == (number, *running)

    @invariant()
    def it_agrees_with_the_model(self) -> None:
        with self.db.engine.begin() as conn:
            levels = fetch(conn, "SELECT on_hand, reserved FROM stock_level")
            active = fetch(
                conn, "SELECT coalesce(sum(quantity),0) FROM reservation WHERE state='active'"
            )
        promised = sum(order.promised for order in self.orders.values())
        start, found = self.counted or ("", 0)
        on_hand = found + sum(delta for when, delta in self.moves if when > start)
        assert int(active[0][0]) == promised
        assert levels == ([(on_hand, promised)] if levels else [])
        assert levels or not (promised or self.moves or self.counted)

    @invariant()
    def what_is_shown_is_never_below_nothing(self) -> None:
        with self.db.engine.begin() as conn:
            told = stock.shown(conn, MERCHANT, [Audience(CONNECTION, by_sku=True)], [SPOT])
            levels = fetch(
                conn, "SELECT on_hand, reserved, unavailable, safety_stock FROM stock_level"
            )
        if self.counted is None:
            assert told == []
        else:
            assert [s.figures["available"] for s in told] == [
                max(0, levels[0][0] - sum(levels[0][1:]))
            ]


def test_a_shelf_agrees_with_the_model_whatever_happens(kept_url: str) -> None:
    engine = Database(kept_url)
    migrate(engine.engine)
    engine._close()
    few = settings(
        max_examples=25 if kept_url.startswith("sqlite") else 8,
        stateful_step_count=20,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )

    run_state_machine_as_test(type("ShelfHere", (Shelf,), {"url": kept_url}), settings=few)
