"""The command line as a person meets it: exit codes, one JSON object, sentences that help."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app

CANARY = "shpat_canary_must_never_be_seen"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HUB_MASTER_KEY", raising=False)

    def run(*args: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, list(args), input=stdin)

    return run


def test_installed_connectors_are_listed_as_one_object(hub: Any) -> None:
    result = hub("connector", "list", "--json")

    assert result.exit_code == 0
    found = json.loads(result.stdout)
    by_code = {row["code"]: row for row in found["connectors"]}
    assert set(by_code) == {"shopify", "pos_csv"}
    assert by_code["shopify"]["streams"]["inventory"] == {"pull": True, "push": True}
    assert by_code["pos_csv"]["streams"]["order"] == {"pull": True, "push": False}
    assert set(by_code["shopify"]) == {"code", "title", "version", "streams", "webhooks", "tier"}
    assert found["quarantined"] == []


def test_help_imports_neither_database_nor_http_client() -> None:
    code = (
        "import sys, contextlib, io\n"
        "from typer.testing import CliRunner\n"
        "from hub.cli import app\n"
        "CliRunner().invoke(app, ['--help'])\n"
        "print([m for m in ('sqlalchemy', 'httpx', 'apscheduler', 'alembic', 'pydantic') if m in sys.modules])\n"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_a_form_that_does_not_fit_names_the_field_and_never_shows_the_secret(
    hub: Any, tmp_path: Path
) -> None:
    form = tmp_path / "form.json"
    form.write_text(json.dumps({"shop": "not a shop", "token": CANARY}), encoding="utf-8")

    result = hub("connect", "add", "shopify", "--name", "Shop", "--form", str(form))

    assert result.exit_code == 2
    assert "shop" in result.stderr
    assert CANARY not in result.output + result.stderr


def test_an_unknown_connector_is_refused_with_what_there_is(hub: Any) -> None:
    result = hub("connect", "add", "ebay", "--name", "X", "--form", "-", stdin="{}")

    assert result.exit_code == 2
    assert "pos_csv, shopify" in result.stderr


def test_a_wrong_setting_is_refused_before_anything_starts(
    hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_JOBS__TICK_S", "soon")

    result = hub("report")

    assert result.exit_code == 2
    assert "jobs.tick_s" in result.stderr


def test_a_hub_without_a_merchant_says_what_to_do_first(hub: Any) -> None:
    result = hub("report")

    assert result.exit_code == 2
    assert "hub connect add" in result.stderr


def test_a_bad_mapping_file_is_reported_with_file_and_line(hub: Any, tmp_path: Path) -> None:
    file = tmp_path / "order.yaml"
    file.write_text(
        "kind: order\nkey: id\npairs:\n  no_such_field: {native: id, as: text}\n", encoding="utf-8"
    )

    result = hub("map", "check", str(file), "--json")

    assert result.exit_code == 1
    problems = json.loads(result.stdout)["problems"]
    assert any(f"{file}:4" in problem and "no_such_field" in problem for problem in problems)


def test_shipped_mappings_pass_their_check(hub: Any) -> None:
    files = sorted(str(path) for path in Path("mappings").glob("*/*.yaml"))

    result = hub("map", "check", *files, "--json")

    assert result.exit_code == 0, result.stdout
    assert json.loads(result.stdout) == {"files": len(files), "problems": []}


def a_till(folder: Path) -> dict[str, Any]:
    """Make the folder of a till, and the form that registers it."""
    (folder / "in").mkdir(parents=True)
    return {
        "path": str(folder), "layout": "loyverse", "timezone": "Asia/Shanghai", "currency": "CNY",
        "stores": [{"code": "S1", "name": "Store One"}], "date_formats": ["MDY"],
    }  # fmt: skip


def test_a_pos_folder_is_registered_synced_and_reported(hub: Any, tmp_path: Path) -> None:
    folder = tmp_path / "till"
    form = a_till(folder)

    added = hub(
        "connect",
        "add",
        "pos_csv",
        "--name",
        "Till",
        "--form",
        "-",
        "--json",
        stdin=json.dumps(form),
    )
    again = hub(
        "connect", "add", "pos_csv", "--name", "Till 2", "--form", "-", stdin=json.dumps(form)
    )
    synced = hub("sync", "--json")
    listed = hub("connect", "list", "--json")
    doctor = hub("doctor", "--json")

    assert added.exit_code == 0, added.stderr
    assert again.exit_code == 2
    assert "registered already" in again.stderr
    assert synced.exit_code == 0, synced.stderr
    assert json.loads(synced.stdout)["held"] == 0
    assert [c["name"] for c in json.loads(listed.stdout)["connections"]] == ["Till"]
    assert doctor.exit_code == 0
    assert json.loads(doctor.stdout)["findings"] == []


def test_rotating_keys_of_a_registered_merchant_keeps_everything_readable(
    hub: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "till"
    (folder / "in").mkdir(parents=True)
    form = {
        "path": str(folder), "layout": "loyverse", "timezone": "Asia/Shanghai", "currency": "CNY",
        "stores": [{"code": "S1", "name": "Store One"}],
    }  # fmt: skip
    hub("connect", "add", "pos_csv", "--name", "Till", "--form", "-", stdin=json.dumps(form))

    rotated = hub("vault", "rotate", "--json")
    after = hub("connect", "check", "Till", "--json")

    assert rotated.exit_code == 0
    assert after.exit_code == 0


def test_releasing_a_receipt_that_nobody_mended_leaves_it_held(hub: Any, tmp_path: Path) -> None:
    folder = tmp_path / "till"
    form = a_till(folder)
    header = (
        "Date,Receipt number,Receipt type,Category,SKU,Item,Variant,Modifiers applied,Quantity,Gross sales,"
        "Discounts,Net sales,Cost of goods,Gross profit,Taxes,POS,Store,Cashier name,Customer name,"
        "Customer contacts,Comment,Status"
    )
    row = "7/28/26 1:33 PM,{no},Sale,,{sku},Mug,,,1.000,10.00,0.00,10.00,0.00,10.00,0.00,T1,Store One,,,,,Closed"
    lines = [header, row.format(no="1-1", sku="MUG-1"), row.format(no="1-2", sku="6.90123E+12")]
    file = folder / "in" / "sales.csv"
    file.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    file.with_name("sales.csv.done").write_text("", encoding="utf-8")
    hub("connect", "add", "pos_csv", "--name", "Till", "--form", "-", stdin=json.dumps(form))

    synced = hub("sync", "--json")
    released = hub("held", "release", "--json")
    listed = hub("held", "list", "--json")
    report = hub("report", "--json")

    assert json.loads(synced.stdout)["held"] == 1, synced.output
    assert json.loads(released.stdout) == {"released": 0, "still_held": 1}
    assert released.exit_code == 3
    assert len(json.loads(listed.stdout)["held"]) == 1
    tallies = {t["kind"]: t for t in json.loads(report.stdout)["tallies"]}
    counted = {name: tallies["order"][name] for name in ("received", "applied", "held")}
    assert counted == {"received": 2, "applied": 1, "held": 1}
