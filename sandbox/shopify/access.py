"""Which scope a field needs; `write_x` implies `read_x` (fact sheet, sections 3 and 5)."""

from __future__ import annotations

from sandbox.shopify.world import Refused

_DOCUMENTATION = "https://shopify.dev/api/usage/access-scopes"
_READS = {
    "orders": "order orders ordersCount orderByIdentifier refund fulfillment return",
    "products": (
        "product products productsCount productVariant productVariants productVariantsCount "
        "productByIdentifier productVariantByIdentifier"
    ),
    "inventory": "inventoryItem inventoryItems inventoryLevel",
    "locations": "location locations locationsCount",
    "customers": "customer customers customersCount customerByIdentifier",
    "merchant_managed_fulfillment_orders": "fulfillmentOrder fulfillmentOrders",
}
_WRITES = {
    "orders": "orderCancel refundCreate",
    "inventory": "inventorySetQuantities inventoryAdjustQuantities inventoryActivate",
    "merchant_managed_fulfillment_orders": "fulfillmentCreate",
}
NEEDS = {
    name: f"{verb}_{what}"
    for verb, table in (("read", _READS), ("write", _WRITES))
    for what, names in table.items()
    for name in names.split()
}


def check(name: str, scopes: str) -> None:
    """Refuse a root field whose scope was not granted."""
    needed = NEEDS.get(name)
    granted = scopes.split(",")
    if needed is None or needed in granted or needed.replace("read_", "write_", 1) in granted:
        return
    required = f"`{needed}` access scope."
    raise Refused(
        f"Access denied for {name} field. Required access: {required}",
        "ACCESS_DENIED",
        {"documentation": _DOCUMENTATION, "requiredAccess": required},
    )
