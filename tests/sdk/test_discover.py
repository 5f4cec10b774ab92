"""Discovery: one broken package never stops the others, and says in one sentence what is wrong."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest
import structlog

from hub import sdk
from hub.sdk.discover import discover, simulators, validate, validate_credentials
from tests.sdk import acme
from tests.sdk.acme import Acme

GOOD = """
    from hub import sdk
    from tests.sdk.acme import Acme

    class {name}(Acme):
        manifest = sdk.Manifest(
            code="{code}", title="X", credentials=Acme.manifest.credentials, streams=Acme.manifest.streams,
            webhooks=Acme.manifest.webhooks,
        )

    @sdk.hookimpl
    def hub_connectors():
        return [{name}]
"""


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Make importable packages on the fly; returns their entry points."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def make(group="hub.connectors", /, **sources):
        points = []
        for name, source in sources.items():
            module = f"planted_{tmp_path.name}_{name}".replace("-", "_")
            if source is not None:
                (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
                made.append(module)
            points.append(EntryPoint(name, module, group))
        return points

    yield make
    for module in made:
        sys.modules.pop(module, None)


def good(code, name="One"):
    return GOOD.format(code=code, name=name)


async def test_good_packages_are_found_by_code(packages):
    plugins = discover(packages(b=good("beta"), a=good("alpha")))

    assert list(plugins.connectors) == ["alpha", "beta"]
    assert plugins.connectors["alpha"].manifest.code == "alpha"
    assert plugins.versions == {"alpha": "unknown", "beta": "unknown"}
    assert plugins.quarantined == ()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (None, "ModuleNotFoundError: No module named 'planted"),
        (
            "import nothing_of_this_name",
            "ModuleNotFoundError: No module named 'nothing_of_this_name'.",
        ),
        ("def broken(:", "SyntaxError: "),
        ("raise SystemExit(3)", "SystemExit: 3."),
        ("raise ValueError('first line\\nsecond line')", "ValueError: first line."),
        ("x = 1", "It has no hub_connectors hook."),
        (
            "from hub import sdk\n@sdk.hookimpl\ndef hub_connectors(surprise):\n    return []",
            "PluginValidationError: Plugin 'bad' for hook 'hub_connectors'.",
        ),
        (
            "from hub import sdk\n@sdk.hookimpl\ndef hub_conectors():\n    return []",
            "PluginValidationError: unknown hook 'hub_conectors' in plugin",
        ),
        (
            "from hub import sdk\n@sdk.hookimpl\ndef hub_connectors():\n    return [1 / 0]",
            "ZeroDivisionError: division by zero.",
        ),
        (
            "from hub import sdk\n@sdk.hookimpl\ndef hub_connectors():\n    return [42]",
            "int: it is no Connector class.",
        ),
        (
            "from hub import sdk\nclass Empty(sdk.Connector): ...\n"
            "@sdk.hookimpl\ndef hub_connectors(): return [Empty]",
            "Empty: it has no manifest.",
        ),
        (
            good("gamma")
            + "\n    @sdk.hookimpl\n    def hub_transforms():\n        return {'other_x': sdk.Transform(str)}",
            "Transform 'other_x' must begin with the connector's code and '_'.",
        ),
        (
            good("gamma")
            + "\n    @sdk.hookimpl\n    def hub_transforms():\n        return {'gamma_x': str}",
            "Transform 'gamma_x' is no Transform.",
        ),
    ],
)
def test_a_broken_package_is_quarantined_with_one_sentence_and_the_others_go_on(
    packages, source, reason
):
    plugins = discover(packages(aaa=good("alpha"), bad=source, zzz=good("omega")))

    assert list(plugins.connectors) == ["alpha", "omega"]
    (bad,) = plugins.quarantined
    assert bad.name == "bad"
    assert bad.reason.startswith(reason)
    assert bad.reason.endswith(".")
    assert "\n" not in bad.reason
    assert len(bad.reason) <= 301


def test_the_second_package_with_a_code_stays_out(packages):
    plugins = discover(packages(a=good("same"), b=good("same", "Two")))

    assert plugins.connectors["same"].__name__ == "One"
    assert [(one.name, one.reason) for one in plugins.quarantined] == [
        ("b", "Two: code 'same' is taken by another package.")
    ]


def test_only_allowed_packages_load(packages):
    plugins = discover(packages(a=good("alpha"), b=good("beta")), allow={"b"})

    assert list(plugins.connectors) == ["beta"]
    assert plugins.quarantined[0].reason == "Not on the allowed list."


def test_transforms_and_observers_are_collected_and_a_failing_observer_stops_nobody(packages):
    hooks = """
    heard = []

    @sdk.hookimpl
    def hub_transforms():
        return {{"{code}_x": sdk.Transform(str, int)}}

    @sdk.hookimpl
    def hub_observe(event):
        if {fails}:
            raise RuntimeError("canary")
        heard.append(event)
    """
    points = packages(
        b=good("beta") + hooks.format(code="beta", fails=False),
        a=good("alpha") + hooks.format(code="alpha", fails=True),
    )
    plugins = discover(points)

    with structlog.testing.capture_logs() as logged:
        plugins.observe("page.applied", {"documents": 3})

    assert sorted(plugins.transforms) == ["alpha_x", "beta_x"]
    assert list(plugins.observers) == ["a", "b"]
    assert sys.modules[points[0].module].heard == ["page.applied"]
    assert logged == [
        {"event": "observer.failed", "plugin": "a", "error": "RuntimeError", "log_level": "warning"}
    ]


def test_installed_packages_are_asked_without_arguments():
    plugins = discover()

    assert all(connector.manifest.code == code for code, connector in plugins.connectors.items())
    assert set(plugins.versions) == set(plugins.connectors)


def test_simulators_are_found_without_importing_them(packages):
    points = packages("hub.simulators", there="raise RuntimeError('imported')", gone=None)
    broken = EntryPoint("parent", "no_such_parent.child", "hub.simulators")

    found = simulators([*points, broken])

    assert found.modules == {"there": points[0].module}
    assert [(one.name, one.reason.split(" ")[0]) for one in found.quarantined] == [
        ("gone", "Module"),
        ("parent", "Module"),
    ]
    assert simulators().modules.keys() >= set()


def test_a_parent_package_that_breaks_hides_only_its_simulator(packages, tmp_path):
    (tmp_path / "breaks_at_once").mkdir()
    (tmp_path / "breaks_at_once" / "__init__.py").write_text("raise RuntimeError")

    found = simulators([EntryPoint("x", "breaks_at_once.child", "hub.simulators")])

    assert found.modules == {}
    assert found.quarantined[0].reason == "Module breaks_at_once.child is not there."


def test_the_example_of_the_docs_is_valid():
    assert validate(Acme) == []


def with_manifest(**changes):
    return type("Changed", (Acme,), {"manifest": replace(Acme.manifest, **changes)})


class PullOnly(sdk.Connector):
    manifest = Acme.manifest

    async def pull(self, kind, cursor):
        yield sdk.Page([], {})


class AsyncReceive(Acme):
    async def receive(self, delivery):
        return sdk.Receipt([])


class Renews(Acme):
    async def renew(self):
        return {}


@pytest.mark.parametrize(
    ("connector", "problems"),
    [
        (
            PullOnly,
            [
                "it declares 'push' and does not code it",
                "it declares 'receive' and does not code it",
            ],
        ),
        (with_manifest(webhooks=None), ["it codes 'receive' and does not declare it"]),
        (with_manifest(renews=True), ["it declares 'renew' and does not code it"]),
        (Renews, ["it codes 'renew' and does not declare it"]),
        (AsyncReceive, ["receive must be a plain function: it does no I/O"]),
        (
            with_manifest(code="Acme-1"),
            ["code 'Acme-1' must be lower-case letters, digits and underscores"],
        ),
        (with_manifest(title=" "), ["it has no title"]),
        (with_manifest(rate=sdk.Rate(0, 1)), ["rate: calls and per_s must be above 0"]),
        (
            with_manifest(credentials={"type": "array"}),
            ["credentials: the schema must be of type object"],
        ),
        (
            with_manifest(streams={**Acme.manifest.streams, "price": sdk.Stream()}),
            ["price: declares neither pull nor push"],
        ),
        (
            with_manifest(
                streams={**Acme.manifest.streams, "member": sdk.Stream(pull=sdk.Pull(every_s=0))}
            ),
            ["member: pull needs every_s >= 1, page >= 1, lag_s >= 0"],
        ),
        (
            with_manifest(
                streams={**Acme.manifest.streams, "price": sdk.Stream(push=sdk.Push(batch=0))}
            ),
            ["price: push needs batch >= 1 and every_s >= 1"],
        ),
        (
            with_manifest(
                streams={**Acme.manifest.streams, "message": sdk.Stream(pull=sdk.Pull())}
            ),
            ["message: messages are pushed, never pulled"],
        ),
    ],
)
def test_each_disagreement_is_told(connector, problems):
    assert validate(connector) == problems


def test_an_unknown_kind_is_told_with_the_known_ones():
    kinds = {**Acme.manifest.streams, "orders": sdk.Stream(pull=sdk.Pull())}

    (problem,) = validate(with_manifest(streams=kinds))

    assert problem.startswith("unknown kind 'orders'; known: product, inventory, price, order")


def test_a_manifest_without_streams_is_told():
    assert "it declares no stream" in validate(with_manifest(streams={}))


def test_credentials_are_checked_against_the_manifest():
    assert validate_credentials(Acme.manifest, acme.FORM) == []
    assert validate_credentials(Acme.manifest, {"url": "canary"}) == [
        ("url", "must be a web address such as https://shop.example.com"),
        ("token", "is required"),
    ]
