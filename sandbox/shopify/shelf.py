"""Products, stock, places and customers as GraphQL shows them (fact sheet, sections 8 and 9)."""

from __future__ import annotations

import re

from sandbox.shopify.money import gid, one, price, when
from sandbox.shopify.store import Row
from sandbox.shopify.world import View, World


def product_view(world: World, row: Row) -> View:
    """Return the view of a product with its variants; stock is asked for when it is read."""
    variants = [variant_view(world, row, v) for v in row["variants"]]
    text = re.sub(r"<[^>]+>", "", row["html"])
    options = [_option(row, option, at) for at, option in enumerate(row["options"], 1)]
    view: View = {
        "__typename": "Product",
        "_id": row["id"],
        "_row": dict(row),
        "variants": variants,
    }
    return view | {
        "id": gid("Product", row["id"]), "legacyResourceId": str(row["id"]),
        "title": row["title"], "handle": row["handle"], "status": row["status"],
        "vendor": row["vendor"], "productType": row["type"], "customProductType": row["type"],
        "tags": row["tags"], "descriptionHtml": row["html"], "bodyHtml": row["html"],
        "description": text, "descriptionPlainSummary": text,
        "createdAt": when(row["created"]), "updatedAt": when(row["updated"]),
        "publishedAt": when(row["created"]) if row["status"] == "ACTIVE" else None,
        "options": options, "totalVariants": len(variants), "isGiftCard": False,
        "variantsCount": {"count": len(variants), "precision": "EXACT"},
        "hasOnlyDefaultVariant": not row["options"] or row["options"][0]["name"] == "Title",
        "hasVariantsThatRequiresComponents": False, "tracksInventory": True,
        "requiresSellingPlan": False, "templateSuffix": None, "giftCardTemplateSuffix": None,
        "featuredImage": None, "images": [], "onlineStoreUrl": None, "onlineStorePreviewUrl": None,
        "mediaCount": {"count": 0, "precision": "EXACT"}, "seo": {"title": None, "description": None},
        "priceRangeV2": _price_range(world, row), "collections": [], "combinedListingRole": None,
    }  # fmt: skip


def _price_range(world: World, row: Row) -> View:
    prices = [v["price"] for v in row["variants"]]
    currency = world.settings.currency
    return {
        "minVariantPrice": one(min(prices), currency),
        "maxVariantPrice": one(max(prices), currency),
    }


def _option(row: Row, option: Row, position: int) -> View:
    values = [
        {"id": gid("ProductOptionValue", option["id"] + at + 1), "name": name, "hasVariants": True,
         "linkedMetafieldValue": None}
        for at, name in enumerate(option["values"])
    ]  # fmt: skip
    return {
        "__typename": "ProductOption", "id": gid("ProductOption", option["id"]),
        "name": option["name"], "position": position, "values": option["values"],
        "optionValues": values,
    }  # fmt: skip


def variant_view(world: World, product: Row, row: Row) -> View:
    """Return the view of a variant with its inventory item."""
    currency = world.settings.currency
    compare = row["compare_at"]
    view: View = {"__typename": "ProductVariant", "_id": row["id"], "_row": dict(row)}
    view |= {"_product": product["id"], "_updated": row["updated"]}
    return view | {
        "id": gid("ProductVariant", row["id"]), "legacyResourceId": str(row["id"]),
        "title": row["title"], "displayName": f"{product['title']} - {row['title']}",
        "sku": row["sku"], "barcode": row["barcode"], "price": price(row["price"], currency),
        "compareAtPrice": None if compare is None else price(compare, currency),
        "position": row["position"], "taxable": row["taxable"], "taxCode": None,
        "inventoryPolicy": row["policy"], "createdAt": when(row["created"]),
        "updatedAt": when(row["updated"]), "image": None, "showUnitPrice": False, "unitPrice": None,
        "requiresComponents": False,
        "selectedOptions": [
            {"name": o["name"], "value": value}
            for o, value in zip(product["options"], row["values"], strict=True)
        ],
        "inventoryItem": item_view(world, product, row),
    }  # fmt: skip


def item_view(world: World, product: Row, row: Row) -> View:
    """Return the view of a variant's inventory item."""
    weight = {"unit": "GRAMS", "value": float(row["grams"])}
    key = row["item"]
    return {
        "__typename": "InventoryItem", "_id": key, "_variant": row["id"],
        "_updated": row["item_updated"], "_created": row["created"],
        "id": gid("InventoryItem", key), "legacyResourceId": str(key), "sku": row["sku"],
        "tracked": row["tracked"], "requiresShipping": True, "createdAt": when(row["created"]),
        "updatedAt": when(row["item_updated"]), "countryCodeOfOrigin": "CN",
        "provinceCodeOfOrigin": None, "harmonizedSystemCode": None, "inventoryHistoryUrl": None,
        "unitCost": one(row["cost"], world.settings.currency),
        "measurement": {"id": gid("InventoryItemMeasurement", key), "weight": weight},
    }  # fmt: skip


def level_view(_world: World, row: Row) -> View:
    """Return the view of the stock of an item at a location."""
    key = f"{gid('InventoryLevel', row['id'])}?inventory_item_id={row['item']}"
    return {
        "__typename": "InventoryLevel", "_id": row["id"], "_row": dict(row), "id": key,
        "_item": row["item"], "_location": row["location"], "isActive": row["active"],
        "_updated": row["updated"], "createdAt": when(row["created"]),
        "updatedAt": when(row["updated"]), "canDeactivate": True, "deactivationAlert": None,
    }  # fmt: skip


def location_view(_world: World, row: Row) -> View:
    """Return the view of a place that holds stock."""
    city = {"city": row["city"], "country": "China", "countryCode": "CN", "zip": row["zip"]}
    address = {"address1": row["address"], "address2": None, "phone": None, "province": None}
    more: View = {"provinceCode": None, "latitude": None, "longitude": None, "formatted": []}
    return {
        "__typename": "Location", "_id": row["id"], "_row": dict(row), "id": gid("Location", row["id"]),
        "legacyResourceId": str(row["id"]), "name": row["name"], "isActive": row["active"],
        "fulfillsOnlineOrders": True, "shipsInventory": True, "isFulfillmentService": False,
        "hasActiveInventory": True, "activatable": True, "deactivatable": False,
        "deletable": False, "deactivatedAt": None, "addressVerified": True,
        "isPrimary": row["primary"], "fulfillmentService": None,
        "address": city | address | more, "createdAt": when(row["created"]),
        "updatedAt": when(row["updated"]),
    }  # fmt: skip


def customer_view(world: World, row: Row) -> View:
    """Return the view of a customer."""
    name = " ".join(part for part in (row["first"], row["last"]) if part)
    email, phone = row["email"], row["phone"]
    currency = world.settings.currency
    address = row["address"] and {
        "id": gid("MailingAddress", row["id"]) + "?model_name=CustomerAddress",
        **row["address"],
    }
    tags = {"_id": row["id"], "_row": dict(row), "tags": row["tags"], "note": row["note"]}
    return tags | {
        "__typename": "Customer", "id": gid("Customer", row["id"]),
        "legacyResourceId": str(row["id"]), "firstName": row["first"], "lastName": row["last"],
        "displayName": name or email or phone or "", "locale": row["locale"], "state": row["state"],
        "email": email, "phone": phone, "verifiedEmail": email is not None,
        "validEmailAddress": email is not None, "taxExempt": False, "taxExemptions": [],
        "numberOfOrders": str(row["orders"]), "amountSpent": one(row["spent"], currency),
        "createdAt": when(row["created"]), "updatedAt": when(row["updated"]),
        "defaultAddress": address, "addresses": [address] if address else [],
        "addressesV2": [address] if address else [], "canDelete": row["orders"] == 0,
        "dataSaleOptOut": False, "multipassIdentifier": None,
        "defaultEmailAddress": email and _email(row), "defaultPhoneNumber": phone and _phone(row),
        "emailMarketingConsent": email and _consent(row["email_consent"]),
        "smsMarketingConsent": phone and _consent(row["sms_consent"]),
        "lifetimeDuration": "1 month", "_last_order": row["last_order"],
        "_metafields": row["metafields"],
    }  # fmt: skip


def _email(row: Row) -> View:
    consent = row["email_consent"]
    return {
        "emailAddress": row["email"], "marketingState": consent["state"],
        "marketingOptInLevel": consent["level"], "marketingUpdatedAt": when(consent["at"]),
        "openTrackingLevel": "UNKNOWN", "validFormat": True, "sourceLocation": None,
    }  # fmt: skip


def _phone(row: Row) -> View:
    consent = row["sms_consent"]
    sms = {"state": consent["state"], "optInLevel": consent["level"], "collectedFrom": "OTHER"}
    return {
        "phoneNumber": row["phone"], "marketingState": consent["state"],
        "marketingOptInLevel": consent["level"], "marketingUpdatedAt": when(consent["at"]),
        "marketingCollectedFrom": "OTHER", "sourceLocation": None,
        "smsMarketingConsent": sms | {"updatedAt": when(consent["at"]), "sourceLocation": None},
    }  # fmt: skip


def _consent(consent: Row) -> View:
    return {
        "marketingState": consent["state"], "marketingOptInLevel": consent["level"],
        "consentUpdatedAt": when(consent["at"]), "sourceLocation": None,
        "consentCollectedFrom": "OTHER",
    }  # fmt: skip
