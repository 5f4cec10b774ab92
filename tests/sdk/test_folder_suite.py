"""The suite also serves a connector that exchanges files."""

from __future__ import annotations

import hashlib
import json
from typing import ClassVar

from hub import sdk
from hub.sdk import Change, Outcome, Page, Source
from hub.sdk.testing import ConnectorSuite


class Till(sdk.Connector):
    manifest = sdk.Manifest(
        code="till",
        title="Till",
        credentials={
            "type": "object",
            "required": ["folder"],
            "properties": {"folder": {"type": "string", "format": "path"}},
        },
        streams={
            "order": sdk.Stream(pull=sdk.Pull()),
            "inventory": sdk.Stream(push=sdk.Push()),
        },
    )

    def __init__(self, connection):
        super().__init__(connection)
        self.folder = connection.open_folder(connection.credentials["folder"])

    async def pull(self, kind, cursor):
        names = [one.name for one in await self.folder.list("*.json")]
        left = [name for name in names if name > cursor.get("name", "")]
        for name in left:
            body = (await self.folder.fetch(name)).read_bytes()
            source = Source(
                name, hashlib.sha256(body).hexdigest(), len(body), "imported", done=True
            )
            yield Page(json.loads(body), {"name": name}, done=name == left[-1], source=source)

    async def push(self, kind, changes):
        with self.folder.write("out/stock.json") as file:
            file.write(json.dumps([one.document for one in changes]).encode())
        return [Outcome(one.key) for one in changes]


def fill(root):
    folder = root / "till"
    folder.mkdir()
    for day in (1, 2, 3):
        (folder / f"sales{day}.json").write_text(json.dumps([{"id": f"r{day}"}]))


class TestTill(ConnectorSuite):
    connector = Till
    credentials: ClassVar = {"folder": "/till"}
    folder = fill
    stock = (Change("A", {"sku": "A", "qty": 3}),)
