"""`python -m sandbox.pos_csv --dir DIR`: the tills as a process of their own, with buyers coming in."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import uvicorn

from sandbox.pos_csv.drops import put
from sandbox.pos_csv.server import Simulator
from sandbox.pos_csv.world import STORES, Settings, World

_TICK_S = 0.25


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.pos_csv", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--faults", default="", help="name=chance per sales file, comma-separated; or all=0.1"
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--catalogue", type=Path)
    parser.add_argument("--traffic", type=int, default=0, help="buyers in all")
    parser.add_argument("--rate", type=float, default=2.0, help="buyers per second")
    parser.add_argument("--stores", default=STORES, help="CODE=place,CODE=place")
    parser.add_argument("--bad", type=int, default=0, help="receipts the hub must hold")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between sales files")
    return parser.parse_args()


async def _play(world: World) -> None:
    while True:
        world.tick()
        await asyncio.sleep(_TICK_S)


async def _serve(world: World, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen(128)  # callers wait in line until the server answers
        address = f"http://127.0.0.1:{sock.getsockname()[1]}"
        told = {
            "code": "pos_csv",
            "address": address,
            "pid": os.getpid(),
            "connections": world.connections(),
        }
        line = json.dumps(told, ensure_ascii=False)
        server = uvicorn.Server(
            uvicorn.Config(Simulator(world), log_level="warning", lifespan="off")
        )
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        put(world.settings.dir / "pos_csv.json", line.encode())
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        play = asyncio.create_task(_play(world))
        done, _ = await asyncio.wait({serving, play}, return_when=asyncio.FIRST_COMPLETED)
        play.cancel()
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await asyncio.gather(serving, play)
        for task in done:
            task.result()


def main() -> None:
    """Run until told to stop."""
    said = _options()
    said.dir.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        dir=said.dir, seed=said.seed, faults=said.faults, catalogue=said.catalogue, traffic=said.traffic,
        rate=said.rate, stores=said.stores, bad=said.bad, every_s=said.every,
    )  # fmt: skip
    asyncio.run(_serve(World(settings), said.port))


if __name__ == "__main__":
    main()
