"""Internal ids: `prefix_` and a UUIDv7 in hex. Sortable by birth, ours, never made from a channel's id."""

from __future__ import annotations

import os
import time

PREFIXES = {
    "merchant": "mer",
    "connection": "con",
    "product": "prd",
    "variant": "var",
    "listing": "lst",
    "listing_sku": "lsk",
    "location": "loc",
    "channel_order": "ord",
    "after_sale": "aft",
    "member": "mem",
    "archive": "arc",
    "history": "his",
    "alert": "alr",
    "held": "hld",
    "job": "job",
    "file": "fil",
}


def new_id(table: str) -> str:
    """Return a fresh id for a row of `table`."""
    return new_ids(table, 1)[0]


def new_ids(table: str, count: int) -> list[str]:
    """Return `count` fresh ids, ascending among themselves (RFC 9562 version 7, counter in rand_a)."""
    prefix = PREFIXES[table]
    millis = time.time_ns() // 1_000_000
    noise = os.urandom(8 * count)
    out = []
    for i in range(count):
        stamp = millis + (i >> 12)
        tail = (
            int.from_bytes(noise[8 * i : 8 * i + 8], "big") & 0x3FFFFFFFFFFFFFFF
            | 0x8000000000000000
        )
        out.append(f"{prefix}_{stamp:012x}7{i & 0xFFF:03x}{tail:016x}")
    return out
