"""Customers: who they are, what they agreed to, where they live.

The document is a `Customer`; `hub.shop` on it is the shop's domain, put there by the connector
because a customer id means something inside its shop only.

Facts: channel sheet, section 9.1. Not asked (`NOT_SUBSCRIBED`) is no denial: it reads as unknown,
and unknown is never permission.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Node = Mapping[str, Any]

_CONSENT: Final = {"SUBSCRIBED": "granted", "UNSUBSCRIBED": "withdrawn"}


def identities(customer: Node) -> list[dict[str, Any]]:
    """Return the ways to know a customer: the id in the shop, the e-mail, the phone."""
    found: list[dict[str, Any]] = [
        {
            "kind": "shopify_customer_gid",
            "namespace": customer["hub"]["shop"],
            "value": customer["id"],
            "strength": "strong",
        }
    ]
    email = customer["defaultEmailAddress"]
    if email is not None:
        strength = "strong" if customer["verifiedEmail"] else "medium"
        value = email["emailAddress"].strip().lower()
        found.append({"kind": "email", "value": value, "strength": strength})
    number = (customer["defaultPhoneNumber"] or {}).get("phoneNumber")
    if number and is_phone(number):
        found.append({"kind": "phone", "value": number, "strength": "weak"})
    return found


def is_phone(number: str) -> bool:
    """Tell a whole E.164 number from a masked one: Shopify masks it for some apps."""
    return number.startswith("+") and number[1:].isascii() and number[1:].isdecimal()


def phone(number: Node | None) -> str | None:
    """Return the phone number unless it is masked."""
    text = (number or {}).get("phoneNumber")
    return text if text and is_phone(text) else None


def consents(customer: Node) -> list[dict[str, Any]]:
    """Return what the customer said about marketing by e-mail and by text message."""
    ways = (("email", customer["defaultEmailAddress"]), ("sms", customer["defaultPhoneNumber"]))
    return [
        {
            "purpose": "marketing",
            "channel": channel,
            "state": _CONSENT.get(contact["marketingState"], "unknown"),
            "at": contact["marketingUpdatedAt"],
            "evidence": contact["marketingOptInLevel"],
        }
        for channel, contact in ways
        if contact is not None
    ]


def addresses(address: Node | None) -> list[dict[str, Any]]:
    """Return the default address as the one known address."""
    if address is None:
        return []
    lines = (address["address1"], address["address2"])
    return [
        {
            "external_id": address["id"],
            "name": address["name"],
            "phone": address["phone"],
            "country": address["countryCodeV2"],
            "province": address["province"],
            "city": address["city"],
            "street": " ".join(line for line in lines if line) or None,
            "zip": address["zip"],
            "is_default": True,
        }
    ]
