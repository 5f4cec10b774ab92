"""The guide's blocks run, and the reference lists exactly the public names."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import types
from pathlib import Path

import pytest

from hub import sdk
from hub.sdk.testing import ConnectorSuite
from tests.sdk import acme

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guide/write-a-connector.md").read_text("utf-8")
REFERENCE = (ROOT / "docs/reference/sdk.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
CHECKS = [name for name in dir(ConnectorSuite) if name.startswith("test_")]


@pytest.fixture(scope="module")
def guide():
    """The guide's blocks as one module."""
    module = types.ModuleType("guide")
    module.acme = acme
    sys.modules["guide"] = module
    for block in BLOCKS:
        exec(compile(block, "write-a-connector.md", "exec"), vars(module))  # noqa: S102 - our own page
    yield module
    del sys.modules["guide"]


@pytest.mark.parametrize("check", CHECKS)
async def test_the_connector_of_the_guide_passes_its_suite(guide, check, tmp_path):
    suite = guide.TestAcme()
    asked = inspect.signature(getattr(suite, check)).parameters

    result = getattr(suite, check)(**{n: {"tmp_path": tmp_path, "fault": "cut"}[n] for n in asked})
    if inspect.isawaitable(result):
        await result


def test_the_smallest_connector_stays_small(guide):
    lines = [line for line in BLOCKS[0].splitlines() if line.strip()]

    assert len(lines) <= 60


def test_the_guide_names_only_attributes_the_suite_has():
    table = GUIDE[
        GUIDE.index("| check | attribute |") : GUIDE.index("Connectors that exchange files")
    ]
    named = {
        name
        for row in table.splitlines()
        if row.startswith("|")
        for name in re.findall(r"`(\w+)`", row.split("|")[-2])
    }

    assert named <= {*dir(ConnectorSuite), *ConnectorSuite.__annotations__}
    assert len(named) >= 8


def listed(heading):
    part = REFERENCE.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE))


def test_the_reference_lists_exactly_what_the_package_offers():
    offered = {"The contract", "The HTTP kit", "Signing and secrets", "Files"}

    assert set().union(*(listed(heading) for heading in offered)) == set(sdk.__all__)


@pytest.mark.parametrize(
    ("heading", "module"),
    [
        ("Time windows", "hub.sdk.windows"),
        ("Tests", "hub.sdk.testing"),
        ("For the engine", "hub.sdk.discover"),
    ],
)
def test_the_reference_lists_names_its_modules_have(heading, module):
    have = vars(importlib.import_module(module))

    assert listed(heading) <= set(have)
    assert len(listed(heading)) >= 3
