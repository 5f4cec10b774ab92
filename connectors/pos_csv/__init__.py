"""Store POS by CSV file: Loyverse and Chinese tills over a watched folder."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.pos_csv.connector import PosCsv
from hub.sdk import Connector, hookimpl

__all__ = ["PosCsv", "hub_connectors"]


@hookimpl
def hub_connectors() -> Sequence[type[Connector]]:
    """Return the connector of this package."""
    return [PosCsv]
