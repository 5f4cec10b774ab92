"""Every connector is complete: quality file, mapping files with their schemas, page, simulator."""

from __future__ import annotations

import importlib.util
import json
import tomllib

import jsonschema
import pytest
import yaml

from hub import sdk
from hub.mapping import load
from hub.records import KINDS
from hub.sdk.discover import discover
from tests.house.tree import ROOT, files, name

SCALE = {
    "bronze": ["suite_green", "credentials_tested", "errors_mapped", "mapping_both_ways", "documented"],
    "silver": ["webhooks_verified", "tokens_renewed", "throttle_obeyed", "recovery_tested", "held_replayable"],
    "gold": ["all_kinds", "reconciled", "error_codes_simulated", "rate_measured"],
    "platinum": ["stateful_faults", "money_and_stock_verified", "runbook"],
}  # fmt: skip
"""Tier to its rules, lowest first. A connector has a tier when that and every lower one is met."""


def project() -> dict[str, dict[str, str]]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return table["entry-points"]


CONNECTORS = sorted(project()["hub.connectors"])
SIMULATORS = sorted(project()["hub.simulators"])
MAPPINGS = list(files(".yaml", under=("mappings",)))


@pytest.mark.parametrize("code", CONNECTORS)
def test_quality_says_done_missing_or_exempt_for_every_rule(code: str) -> None:
    path = ROOT / "connectors" / code / "quality.yaml"
    quality = yaml.safe_load(path.read_text("utf-8"))

    assert {tier: sorted(rules) for tier, rules in quality.items()} == {
        tier: sorted(rules) for tier, rules in SCALE.items()
    }
    for tier, rules in quality.items():
        for rule, verdict in rules.items():
            if verdict == "done":
                continue
            assert isinstance(verdict, dict), f"{tier}.{rule}: done, or exempt/missing with a text"
            ((word, reason),) = verdict.items()
            assert word in {"exempt", "missing"}, f"{tier}.{rule}"
            assert len(str(reason).split()) >= 2, f"{tier}.{rule} needs a reason"


@pytest.mark.parametrize("code", CONNECTORS)
def test_a_connector_loads_and_is_what_its_entry_point_says(code: str) -> None:
    plugins = discover()

    assert [q for q in plugins.quarantined if q.name == code] == []
    assert plugins.connectors[code].manifest.code == code


@pytest.mark.parametrize("code", CONNECTORS)
def test_every_stream_has_its_mapping(code: str) -> None:
    manifest = discover().connectors[code].manifest

    for kind in manifest.streams:
        if kind in KINDS:
            assert (ROOT / "mappings" / code / f"{kind}.yaml").is_file(), kind


@pytest.mark.parametrize("code", CONNECTORS)
def test_a_connector_has_a_simulator_and_a_page(code: str) -> None:
    assert code in SIMULATORS
    assert importlib.util.find_spec(f"sandbox.{code}") is not None
    assert importlib.util.find_spec(f"sandbox.{code}.__main__") is not None
    assert (ROOT / "docs" / "channels" / f"{code}.md").is_file()


@pytest.mark.parametrize("code", CONNECTORS)
def test_the_files_of_a_connector_have_the_names_everybody_looks_for(code: str) -> None:
    folder = ROOT / "connectors" / code

    assert {"__init__.py", "connector.py", "errors.py"} <= {p.name for p in folder.iterdir()}


def test_there_are_mapping_files() -> None:
    assert len(MAPPINGS) >= 5


@pytest.mark.parametrize("path", MAPPINGS, ids=name)
def test_a_mapping_loads_and_its_document_has_a_valid_schema(path: object) -> None:
    assert hasattr(path, "with_suffix")
    beside = path.with_suffix(".schema.json")
    schema = json.loads(beside.read_text("utf-8"))

    mapping = load(path, transforms=discover().transforms)

    assert mapping.kind == path.stem
    assert path.stem in sdk.KIND_NAMES
    jsonschema.Draft202012Validator.check_schema(schema)


def test_no_schema_is_left_without_its_mapping() -> None:
    lonely = [
        name(p)
        for p in files(".json", under=("mappings",))
        if not p.with_name(p.name.removesuffix(".schema.json") + ".yaml").is_file()
    ]
    assert lonely == []
