"""The connection form: what a merchant fills in, as JSON Schema. Only `writeOnly` fields are secrets."""

from __future__ import annotations

import re
from typing import Any, Final

from hub.errors import ConfigError

API_VERSION: Final = "2026-10"  # channel sheet, section 2: the latest stable one, until 2027-10-01
SHOP_PATTERN: Final = r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$"
# The simulator only: a real shop is always reached at its own name.
ADDRESS_PATTERN: Final = r"^http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?$"

CREDENTIALS: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["shop"],
    "anyOf": [
        {"required": ["token"]},
        {"required": ["client_id", "client_secret"]},
    ],
    "additionalProperties": False,
    "properties": {
        "shop": {
            "type": "string",
            "pattern": SHOP_PATTERN,
            "title": {"en": "Shop address", "zh": "店铺地址"},
            "description": {
                "en": "The shop's own address, such as my-shop.myshopify.com.",
                "zh": "店铺的 myshopify.com 地址，例如 my-shop.myshopify.com。",
            },
        },
        "token": {
            "type": "string",
            "minLength": 8,
            "maxLength": 512,
            "writeOnly": True,
            "title": {"en": "Admin API access token", "zh": "Admin API 访问令牌"},
            "description": {
                "en": "Of an app made in the store admin (shpat_…). Leave empty if you have a client id.",
                "zh": "店铺后台创建的应用的令牌（shpat_…）。已有客户端 ID 时留空。",
            },
        },
        "client_id": {
            "type": "string",
            "minLength": 8,
            "maxLength": 128,
            "title": {"en": "Client ID", "zh": "客户端 ID"},
            "description": {
                "en": "Of an app made in the Dev Dashboard of the shop's own organisation.",
                "zh": "店铺所属组织在 Dev Dashboard 中创建的应用的客户端 ID。",
            },
        },
        "client_secret": {
            "type": "string",
            "minLength": 8,
            "maxLength": 512,
            "writeOnly": True,
            "title": {"en": "Client secret", "zh": "客户端密钥"},
        },
        "api_version": {
            "type": "string",
            "pattern": r"^20[0-9]{2}-(01|04|07|10)$",
            "default": API_VERSION,
            "title": {"en": "API version", "zh": "API 版本"},
        },
        "address": {
            "type": "string",
            "pattern": ADDRESS_PATTERN,
            "title": {"en": "Simulator address", "zh": "模拟器地址"},
            "description": {
                "en": "For the sandbox only: where a local simulator listens.",
                "zh": "仅用于沙盒：本机模拟器的地址。",
            },
        },
    },
}


def base_url(shop: str, address: str | None) -> str:
    """Return where to call. Refuses a shop or an address that is not what the form allows."""
    if not re.fullmatch(SHOP_PATTERN, shop):
        raise ConfigError("The shop address must end in .myshopify.com.", key="shop")
    if not address:
        return f"https://{shop}"
    if not re.fullmatch(ADDRESS_PATTERN, address):
        raise ConfigError("The simulator's address must be on this machine.", key="address")
    return address
