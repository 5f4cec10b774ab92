"""`hub stock explain`: one figure, and why it is what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.out import FAILED, Json, MerchantId, print_json, say, table, with_hub

if TYPE_CHECKING:
    from hub.app import Hub


def add_to(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Stock figures and why they are what they are.", no_args_is_help=True)
    group.command()(explain)
    app.add_typer(group, name="stock")


def explain(
    sku: Annotated[str, typer.Argument(help="The merchant's SKU code (商家编码).")],
    merchant: MerchantId = None,
    json: Json = False,
) -> None:
    """Explain the stock of a SKU, place by place, with its newest movements."""
    with_hub(lambda hub: _explain(hub, sku, merchant, json=json), writes=False)


async def _explain(hub: Hub, sku: str, merchant: str | None, *, json: bool) -> int:
    from hub.commerce import stock

    merchant_id = (await hub.merchant(merchant)).merchant_id
    spots = await hub.db.read(stock.explain, merchant_id, sku)
    if json:
        print_json({"sku": sku, "places": spots})
    elif not spots:
        say(f"There is no stock of a SKU {sku!r}.")
    for spot in spots if not json else ():
        say(f"{spot['location']}: {spot['sentence']}")
        table(
            "Newest movements",
            ("#", "what", "on hand", "reserved", "source", "when"),
            [
                (
                    e["seq"], e["entry_type"], e["delta_on_hand"], e["delta_reserved"],
                    f"{e['source_doc_type']} {e['source_doc_id']}", e["occurred_at"],
                )
                for e in spot["entries"]
            ],
        )  # fmt: skip
    return 0 if spots else FAILED
