"""Store tills that exchange files (channels/pos_csv.md): what a shop's till and its folder do.

Two stores, two folders, two connections: the first till writes Loyverse files in UTF-8, the
second Chinese ones in GB18030. `app(dir=…)` is mounted without a socket in tests and plays only
when told to (`act`); `python -m sandbox.pos_csv --dir DIR` also lets time pass.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.pos_csv.server import Simulator
from sandbox.pos_csv.world import Settings, World

__all__ = ["Settings", "Simulator", "World", "app"]


def app(*, dir: Path | str, **options: Any) -> Simulator:
    """Return the simulator over the folder; options as in `Settings`."""
    folder = Path(dir)
    folder.mkdir(parents=True, exist_ok=True)
    return Simulator(World(Settings(dir=folder, **options)))
