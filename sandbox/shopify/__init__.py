"""A simulated Shopify shop, written from the platform's documents.

``app(…)`` returns an ASGI application for tests, mounted without a socket;
``python -m sandbox.shopify`` runs it as a process of its own that also plays the buyers.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.shopify import catalogue, seed, shelf, traffic, views
from sandbox.shopify.faults import Dial, chances
from sandbox.shopify.schema import sub_schema
from sandbox.shopify.server import Cut, Simulator
from sandbox.shopify.world import Settings, World

__all__ = ["Settings", "Simulator", "app", "credentials"]

_RENDER = {
    "order": views.order_view,
    "product": shelf.product_view,
    "customer": shelf.customer_view,
    "level": shelf.level_view,
    "location": shelf.location_view,
}


def app(
    *,
    folder: Path | None = None,
    now: Callable[[], float] = time.time,
    cut: Cut | None = None,
    settings: Settings | None = None,
    **options: Any,
) -> Simulator:
    """Return the shop as an ASGI application.

    ``options`` are fields of ``Settings``. With a ``folder`` the state outlives the process: a
    folder that was used before is taken up as it was left.
    """
    sub_schema()
    chosen = replace(settings or Settings(), **options)
    world = World(chosen, folder=folder, now=now)
    world.open(_RENDER)
    if not world.store.meta.get("seeded"):
        made = seed.fill(world)
        if folder is not None:
            catalogue.write(folder / "catalogue.json", made)
    if chosen.traffic:
        traffic.plan(world, chosen.traffic)
    rng = random.Random(f"{chosen.seed}:faults")  # noqa: S311 - a script, not a secret
    return Simulator(world, Dial(rng, chances(chosen.faults)), cut)


def credentials(settings: Settings, address: str) -> dict[str, str]:
    """Return what a connection form asks for, pointing at a running simulator."""
    return {
        "shop": settings.shop,
        "address": address,
        "token": settings.token,
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
    }
