"""Run the simulated shop: ``python -m sandbox.shopify --dir DIR --seed N --faults SPEC``.

Prints one JSON line (code, address, pid, credentials) when it answers, and writes the same line to
``DIR/shopify.json``, so that whoever starts again can adopt it. State lies in
``DIR/shopify.sqlite``, the catalogue to share in ``DIR/catalogue.json``. The buyers wait for
``POST /_sandbox/open``; ``POST /_sandbox/quiet`` switches the faults off, ``GET /_sandbox/truth``
tells what is really there, ``POST /_sandbox/act`` makes something happen.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import socket
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import uvicorn

from sandbox.shopify import Settings, app, credentials, traffic
from sandbox.shopify.server import Scope


def main(arguments: list[str] | None = None) -> int:
    """Start the shop and serve until stopped."""
    given = _parser().parse_args(arguments)
    names = {f.name for f in fields(Settings)}
    chosen = {k: v for k, v in vars(given).items() if k in names and v is not None}
    if given.locations:
        chosen["locations"] = tuple(name.strip() for name in given.locations.split(","))
    asyncio.run(_serve(Settings(**chosen), given.dir, given.port))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox.shopify", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="folder of the shop's state")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--locations", help="names of the places, separated by commas")
    parser.add_argument("--catalogue", type=Path, help="a catalogue.json to share")
    for name in ("faults", "plan", "shop", "currency", "token", "client_id", "client_secret"):
        parser.add_argument(f"--{name.replace('_', '-')}")
    for name in (
        "seed",
        "orders",
        "days",
        "products",
        "variants",
        "customers",
        "bad",
        "odd",
        "traffic",
    ):
        parser.add_argument(f"--{name}", type=int)
    for name in ("rate", "timeout_s", "index_lag_s", "cancel_job_s"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=float)
    return parser


async def _serve(settings: Settings, folder: Path, port: int) -> None:
    door = socket.create_server(("127.0.0.1", port))
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    server: uvicorn.Server

    def cut(scope: Scope) -> None:
        for one in list(server.server_state.connections):
            known: Any = one
            if getattr(known, "client", None) == scope["client"]:
                known.transport.abort()

    simulator = app(folder=folder, cut=cut, settings=settings)
    gc.freeze()  # thousands of rows that stay: looking at them again costs 0.3 s a time
    config = uvicorn.Config(simulator, log_level="error", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    line = json.dumps(
        {
            "code": "shopify",
            "address": address,
            "pid": os.getpid(),
            "credentials": credentials(settings, address),
        }
    )
    _write(folder / "shopify.json", line)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve(sockets=[door]))
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.01)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        buyers = group.create_task(traffic.play(simulator.world))
        await serving
        buyers.cancel()


def _write(path: Path, line: str) -> None:
    half = path.with_suffix(".part")
    half.write_text(line + "\n", encoding="utf-8")
    half.replace(path)


if __name__ == "__main__":
    sys.exit(main())
