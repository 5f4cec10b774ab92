"""Every import contract bites: broken once on purpose on a small copy of the tree's shape."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.tree import ROOT

PACKAGES = (
    "hub", "hub/cli", "hub/console", "hub/web", "hub/app", "hub/jobs", "hub/sync", "hub/commerce",
    "hub/commerce/stock", "hub/commerce/orders", "hub/mapping", "hub/db", "hub/vault", "hub/sdk",
    "hub/records", "hub/config", "hub/log", "hub/errors", "connectors", "connectors/acme",
    "connectors/zeta", "sandbox", "sandbox/acme", "sandbox/zeta",
)  # fmt: skip

BREACHES = [
    ("layers", "hub/records", "import hub.sdk"),
    ("layers", "hub/sync", "import hub.jobs"),
    ("layers", "hub/app", "import hub.web"),
    ("layers", "hub/db", "import hub.vault"),
    ("layers", "hub/errors", "import hub.log"),
    ("layers", "hub/sdk", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import hub.db"),
    ("connectors-see-sdk-only", "connectors/acme", "import hub.db"),
    ("connectors-see-sdk-only", "connectors/acme", "import hub.config"),
    ("connectors-are-strangers", "connectors/acme", "import connectors.zeta"),
    ("simulators-are-strangers", "sandbox/acme", "import sandbox.zeta"),
    ("rooms-are-strangers", "hub/commerce/stock", "import hub.commerce.orders"),
    ("hub-knows-no-channel", "hub/sync", "import connectors.acme"),
    ("hub-knows-no-channel", "hub/cli", "import sandbox.acme"),
    ("second-opinion", "sandbox/acme", "import hub.errors"),
    ("second-opinion", "sandbox/acme", "import connectors.acme"),
    ("framework-free-core", "hub/sync", "import sqlalchemy"),
    ("framework-free-core", "hub/records", "import sqlmodel"),
    ("settings-are-handed-down", "hub/db", "import hub.config"),
    ("no-sibling-cycles", "hub/commerce/stock", "import hub.commerce.orders"),
]
"""(contract, the file that breaks it, how)."""


def lint(tree: Path, contract: str) -> subprocess.CompletedProcess[str]:
    command = str(Path(sys.executable).with_name("lint-imports"))
    return subprocess.run(
        [command, "--no-cache", "--contract", contract],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")
    for package in PACKAGES:
        folder = tmp_path / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("", "utf-8")
    return tmp_path


def contract_ids() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return [contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]]


def test_every_contract_is_broken_once_below() -> None:
    assert set(contract_ids()) == {contract for contract, _, _ in BREACHES}


def test_connectors_are_kept_from_every_part_of_the_hub_but_three() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = {c["id"]: c for c in settings["tool"]["importlinter"]["contracts"]}
    parts = {
        p.stem
        for p in (ROOT / "hub").iterdir()
        if p.suffix == ".py" or (p / "__init__.py").is_file()
    }

    forbidden = {
        m.removeprefix("hub.") for m in contracts["connectors-see-sdk-only"]["forbidden_modules"]
    }
    # hub.log is open to them: through it a connector can say nothing that it may not say.
    assert parts - {"__init__", "sdk", "records", "errors", "log"} <= forbidden


@pytest.mark.parametrize("contract", contract_ids())
def test_a_contract_is_kept_by_a_clean_tree(tree: Path, contract: str) -> None:
    outcome = lint(tree, contract)

    assert "1 kept, 0 broken" in outcome.stdout, outcome.stdout + outcome.stderr


@pytest.mark.parametrize(("contract", "package", "line"), BREACHES)
def test_a_contract_is_broken_by_one_wrong_import(
    tree: Path, contract: str, package: str, line: str
) -> None:
    (tree / package / "__init__.py").write_text(f"{line}\n", "utf-8")
    if contract == "no-sibling-cycles":
        back = tree / "hub/commerce/orders/__init__.py"
        back.write_text("import hub.commerce.stock\n", "utf-8")

    outcome = lint(tree, contract)

    assert "0 kept, 1 broken" in outcome.stdout, outcome.stdout + outcome.stderr
