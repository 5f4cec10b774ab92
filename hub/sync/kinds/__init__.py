"""What a page of each kind does to the rooms of commerce, in the page's one transaction.

A step that touches two rooms is put together here: an order reserves stock, stock that moved
is told to every channel.
"""

from hub.sync.kinds.cases import apply_cases
from hub.sync.kinds.catalogue import apply_members, apply_products
from hub.sync.kinds.orders import apply_orders
from hub.sync.kinds.room import Applied, Apply, Room, audiences, gate, tell
from hub.sync.kinds.stock import apply_stock, check_shown

APPLY: dict[str, Apply] = {
    "product": apply_products,
    "inventory": apply_stock,
    "member": apply_members,
    "order": apply_orders,
    "after_sale": apply_cases,
}

__all__ = ["APPLY", "Applied", "Room", "audiences", "check_shown", "gate", "tell"]
