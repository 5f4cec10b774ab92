"""Whose token it is and what it may do: read from Shopify, never assumed.

Shopify narrows silently: without `read_all_orders` orders older than 60 days are simply not
there, personal data comes as null, an API version that has expired is answered by a newer one.
None of it fails a call, so it is looked for here. Facts: channel sheet, sections 2, 3 and 9.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from connectors.shopify.admin import Admin
from hub.errors import Forbidden
from hub.sdk import Account, Kind, Verdict

Verb = Literal["pull", "push"]

# What each ability needs; inside one entry any one of the scopes will do.
_NEEDS: Final[Sequence[tuple[Kind, Verb, Sequence[Sequence[str]]]]] = (
    (
        "order",
        "pull",
        (
            ("read_orders",),
            (
                "read_merchant_managed_fulfillment_orders",
                "read_assigned_fulfillment_orders",
                "read_third_party_fulfillment_orders",
            ),
        ),
    ),
    ("product", "pull", (("read_products",), ("read_inventory",))),
    ("inventory", "pull", (("read_inventory",), ("read_locations",))),
    ("inventory", "push", (("write_inventory",), ("read_locations",))),
    ("member", "pull", (("read_customers",),)),
)


async def account(admin: Admin, shop: str) -> Account:
    """Ask who we are; look once whether personal data is shown."""
    data = await admin.ask("Whoami")
    scopes = granted(one["handle"] for one in data["currentAppInstallation"]["accessScopes"])
    if "read_customers" in scopes:
        await _probe_personal_data(admin)
    return Account(
        remote_id=data["shop"]["myshopifyDomain"],
        name=data["shop"]["name"],
        verdicts=[_verdict(kind, verb, needs, scopes) for kind, verb, needs in _NEEDS],
        notes=list(_notes(admin, data, scopes, shop)),
    )


def granted(handles: Iterator[str]) -> frozenset[str]:
    """Return the scopes with what they imply: `write_x` holds `read_x`."""
    named = frozenset(handles)
    return named | {f"read_{one[6:]}" for one in named if one.startswith("write_")}


def _verdict(
    kind: Kind, verb: Verb, needs: Sequence[Sequence[str]], scopes: frozenset[str]
) -> Verdict:
    missing = [" or ".join(any_of) for any_of in needs if not scopes.intersection(any_of)]
    if not missing:
        return Verdict(kind, verb, works=True)
    permission = ", ".join(missing)
    return Verdict(kind, verb, works=False, permission=permission, reason=f"Needs {permission}.")


async def _probe_personal_data(admin: Admin) -> None:
    """Read one customer: what Shopify withholds then stands in `admin.withheld`."""
    try:
        await admin.ask("PersonalData")
    except Forbidden:
        admin.withheld.add("customers")


def _notes(
    admin: Admin, data: Mapping[str, Any], scopes: frozenset[str], shop: str
) -> Iterator[str]:
    plan = data["shop"]["plan"]
    yield f"Plan: {plan['publicDisplayName']}; currency {data['shop']['currencyCode']}."
    if plan["partnerDevelopment"]:
        yield "A development store: its orders are no real ones."
    if data["shop"]["myshopifyDomain"] != shop:
        yield f"The shop calls itself {data['shop']['myshopifyDomain']}."
    if admin.served and admin.served != admin.version:
        yield f"API version {admin.version} has expired: Shopify answers with {admin.served}."
    supported = {one["handle"] for one in data["publicApiVersions"] if one["supported"]}
    if admin.version not in supported:
        yield f"API version {admin.version} is not among the supported ones."
    if "read_all_orders" not in scopes:
        yield "Orders older than 60 days are not shown: the scope read_all_orders is missing."
    if admin.withheld:
        names = ", ".join(sorted(admin.withheld))
        yield f"Shopify withholds personal data from this app ({names}): those fields stay empty."
