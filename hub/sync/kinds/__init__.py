"""What a page of each kind does to the rooms of commerce, in the page's one transaction.

A step that touches two rooms is put together here: an order reserves stock, stock that moved
is told to every channel.
"""

from collections.abc import Mapping

from hub.sync.kinds.cases import apply_cases
from hub.sync.kinds.catalogue import apply_members, apply_products
from hub.sync.kinds.orders import apply_orders, begin_order
from hub.sync.kinds.room import Applied, Apply, Room, audiences, gate, tell
from hub.sync.kinds.stock import apply_stock, check_shown
from hub.sync.reading import Begin

APPLY: dict[str, Apply] = {
    "product": apply_products,
    "inventory": apply_stock,
    "member": apply_members,
    "order": apply_orders,
    "after_sale": apply_cases,
}

BEGIN: Mapping[str, Begin] = {"order": begin_order}
"""What a new record of a kind is stored as, as far as its document alone decides."""

__all__ = ["APPLY", "BEGIN", "Applied", "Room", "audiences", "check_shown", "gate", "tell"]
