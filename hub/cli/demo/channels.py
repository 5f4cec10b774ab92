"""The simulated channels of the demo: processes of their own that outlive the hub, found again by a file.

A simulator prints one JSON line when it is up and keeps it in `<dir>/<code>.json`; a hub that
was killed adopts the running one.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from hub.errors import ConfigError, Retry
from hub.sdk.discover import simulators

_START_S = 30.0
FAULTS = "usual"


@dataclass(frozen=True, slots=True)
class Channel:
    """One running simulator."""

    code: str
    address: str
    pid: int
    accounts: Sequence[tuple[str, dict[str, Any]]]
    """(name, connection form)."""

    async def truth(self) -> dict[str, Any]:
        """Return what is really there, as the channel sees it."""
        async with httpx.AsyncClient(
            base_url=self.address, timeout=30.0, trust_env=False
        ) as client:
            try:
                reply = (await client.get("/_sandbox/truth")).raise_for_status()
                answer: dict[str, Any] = reply.json()
            except (httpx.HTTPError, ValueError) as error:
                raise Retry(
                    f"The simulated channel {self.code!r} does not answer ({type(error).__name__})."
                ) from error
            return answer

    async def ask(self, name: str) -> None:
        """Tell the simulator something: `open` its doors, be `quiet`."""
        async with httpx.AsyncClient(
            base_url=self.address, timeout=30.0, trust_env=False
        ) as client:
            (await client.post(f"/_sandbox/{name}", json={})).raise_for_status()

    def end(self) -> None:
        """End the simulator's process; one that is gone is fine."""
        try:
            os.kill(self.pid, signal.SIGTERM)
        except ProcessLookupError:
            return


async def start_all(
    folder: Path, *, seed: int, acts: int, rate: float, bad: int, first: Sequence[str]
) -> list[Channel]:
    """Start, or adopt, every installed simulator; `first` names those that make the shared catalogue."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    modules = simulators().modules
    out: list[Channel] = []
    try:
        for code in sorted(modules, key=lambda c: (c not in first, c)):
            known = await _adopted(folder, code)
            out.append(
                known
                or await _started(
                    folder, code, modules[code], seed=seed, acts=acts, rate=rate, bad=bad
                )
            )
    except BaseException:
        for channel in out:
            channel.end()
        raise
    return out


def _channel(line: dict[str, Any]) -> Channel:
    accounts = [(a["name"], a["credentials"]) for a in line.get("connections", ())]
    if not accounts:
        accounts = [(line.get("name", line["code"]), line["credentials"])]
    return Channel(line["code"], line["address"], line["pid"], accounts)


async def _adopted(folder: Path, code: str) -> Channel | None:
    file = folder / f"{code}.json"
    try:
        channel = _channel(json.loads(file.read_text(encoding="utf-8")))
        truth = await channel.truth()
    except (OSError, ValueError, KeyError, Retry):
        return None
    return channel if truth.get("code") == code else None


async def _started(
    folder: Path, code: str, module: str, *, seed: int, acts: int, rate: float, bad: int
) -> Channel:
    given = [
        sys.executable, "-m", module, "--dir", str(folder), "--seed", str(seed), "--faults", FAULTS,
        "--traffic", str(acts), "--rate", str(rate), "--bad", str(bad),
    ]  # fmt: skip
    catalogue = folder / "catalogue.json"
    if catalogue.exists():
        given += ["--catalogue", str(catalogue)]
    log = (folder / f"{code}.log").open("ab")
    process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own interpreter and modules, no shell
        given, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
    )
    log.close()
    try:
        line = await asyncio.wait_for(asyncio.to_thread(_first_line, process), _START_S)
        return _channel(json.loads(line))
    except asyncio.CancelledError:
        process.terminate()
        raise
    except (TimeoutError, ValueError, KeyError) as error:
        process.kill()
        raise ConfigError(
            f"The simulator {code!r} did not start; see {folder / code}.log."
        ) from error


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    return process.stdout.readline() if process.stdout else b""
