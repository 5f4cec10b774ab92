"""`from hub import sdk` offers exactly what it says, all of it documented."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

from hub import sdk
from hub.errors import ConfigError
from hub.sdk import Connector, ContractGap, Delivery, codes
from hub.sdk.fakes import FakeConnection
from tests.sdk.acme import Acme

MODULES = [one.name for one in pkgutil.iter_modules(sdk.__path__)]


def test_all_is_exactly_what_is_imported():
    tree = ast.parse(Path(inspect.getfile(sdk)).read_text())
    imported = {
        name.name for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names
    }

    assert set(sdk.__all__) == imported - {"annotations"}
    assert sdk.__all__ == sorted(
        sdk.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    assert all(hasattr(sdk, name) for name in sdk.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_a_docstring(name):
    module = importlib.import_module(f"hub.sdk.{name}")
    bare = [
        thing.__qualname__
        for thing in vars(module).values()
        if getattr(thing, "__module__", "") == module.__name__
        and inspect.isroutine(thing) | inspect.isclass(thing)
        for thing in [thing, *_members(thing)]
        if not thing.__qualname__.rpartition(".")[2].startswith("_") and not inspect.getdoc(thing)
    ]

    assert module.__doc__
    assert bare == []


def _members(thing):
    if not inspect.isclass(thing) or thing.__name__.startswith("_"):
        return []
    return [
        one
        for one in vars(thing).values()
        if inspect.isroutine(one) and hasattr(one, "__qualname__")
    ]


async def test_a_verb_that_is_not_coded_says_so():
    one = Connector(FakeConnection({}))
    Connector.manifest = Acme.manifest
    try:
        with pytest.raises(ContractGap, match="connector 'acme' has no 'pull' for 'order'"):
            one.pull("order", {})
        for verb in (one.push("order", []), one.fetch("order", "1"), one.renew()):
            with pytest.raises(ContractGap):
                await verb
        with pytest.raises(ContractGap):
            one.receive(Delivery("t", {}, b""))
        await one.close()
    finally:
        del Connector.manifest
    assert not codes(Connector, "pull")
    assert codes(Acme, "pull")


async def test_check_reads_the_first_page_only():
    pages = []

    class Counts(Acme):
        async def pull(self, kind, cursor):
            for number in range(3):
                pages.append(number)
                yield sdk.Page([], {})

    account = await Counts(
        FakeConnection({"url": "http://x.test", "token": "t"}, app=object())
    ).check()

    assert (account.name, account.remote_id, pages) == ("Acme POS", "c_test", [0])


async def test_a_fake_connection_hands_out_only_what_the_test_gave_it(tmp_path):
    bare, full = FakeConnection({"token": "canary"}), FakeConnection({}, folder=tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("1")

    with pytest.raises(ConfigError, match="no simulator"):
        bare.open_http("https://x.test")
    with pytest.raises(ConfigError, match="no folder"):
        bare.open_folder("in")
    for path in ("in", "/in", str(tmp_path / "in")):
        assert [one.name for one in await full.open_folder(path).list()] == ["a.csv"]
    assert "canary" not in f"{bare!r} {bare.credentials!r}"


class Writes(sdk.Connector):
    manifest = sdk.Manifest(
        "w", "Writer", {"type": "object"}, {"price": sdk.Stream(push=sdk.Push())}
    )


async def test_check_of_a_connector_without_a_pulled_stream_asks_nothing():
    account = await Writes(FakeConnection({})).check()

    assert account == sdk.Account("c_test", "Writer")


async def test_check_of_an_empty_channel_is_a_good_check():
    class Nothing(Acme):
        async def pull(self, kind, cursor):
            for page in ():
                yield page

    account = await Nothing(
        FakeConnection({"url": "http://x.test", "token": "t"}, app=object())
    ).check()

    assert account.name == "Acme POS"
