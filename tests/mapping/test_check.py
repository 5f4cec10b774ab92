"""`check` and `test`: what people who write mapping files are told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from hub import mapping as package
from hub.errors import ConfigError
from hub.mapping import check
from hub.mapping import test as prove
from hub.sdk.hooks import Transform

from .conftest import LINES, ORDER

ACME = Path(__file__).parent / "acme" / "order.yaml"


def test_the_public_names_are_all_there_is():
    for name in package.__all__:
        assert getattr(package, name) is not None


def test_a_good_file_has_no_problems():
    assert check(ACME) == []


def test_a_good_file_holds_its_laws_and_tells_its_coverage():
    report = prove(ACME, cases=15, budget_s=60)

    assert (report.is_good, report.failures, report.refused) == (True, [], 0)
    assert report.cases == 15
    assert "lines[].quantity" in report.canonical.mapped
    assert "lines[].is_gift" in report.canonical.missing
    assert "buyer.tags[]" in report.native.missing
    assert "deals[].shares[].off" in report.native.mapped
    assert str(report.native) == "32 of 36 fields"
    assert report.as_dict()["coverage"]["native"]["missing"] == list(report.native.missing)
    assert json.loads(json.dumps(report.as_dict()))["cases"] == 15
    assert report.text().startswith(f"{ACME}: the laws hold\n  tried: 0 fixtures, 15 made-up")


def test_fixtures_beside_the_file_are_tried(file, tmp_path, an_order):
    (tmp_path / "fixtures").mkdir()
    good = tmp_path / "fixtures" / "order-good.json"
    good.write_text(json.dumps([an_order(), an_order(total="1")]))
    (tmp_path / "fixtures" / "order-bad.json").write_text(json.dumps(an_order(total="x")))

    report = prove(file(ORDER), cases=0)

    assert (report.fixtures, report.cases, report.is_good) == (3, 0, False)
    assert len(report.failures) == 1
    assert report.failures[0].startswith("order-bad.json[0]: ")
    good.write_text("{")
    with pytest.raises(ConfigError, match="is not JSON"):
        prove(file(ORDER), cases=0)


def test_nothing_tried_is_not_ok(file):
    assert prove(file(ORDER), cases=0).is_good is False


@pytest.mark.parametrize(
    ("transform", "failures"),
    [
        (Transform(str.lower, str.upper), []),
        (Transform(str.lower, lambda value: value + "!"), ["PutGet: display_no is not read as it was written"]),
    ],
)  # fmt: skip
def test_a_transform_that_breaks_a_law_is_caught(file, an_order, tmp_path, transform, failures):
    fixture = tmp_path / "fixtures" / "order.json"
    fixture.parent.mkdir()
    fixture.write_text(json.dumps(an_order(number="Ab")))
    path = file(ORDER + "  display_no: {native: number, as: acme_case}\n")

    report = prove(path, cases=0, transforms={"acme_case": transform})

    assert [failure.split("]: ")[1] for failure in report.failures] == failures


def test_documents_need_no_schema(file):
    report = prove(file(ORDER + LINES), cases=10)

    assert (report.is_good, report.cases, report.native.mapped) == (True, 10, ())


def test_a_test_ends_when_its_time_is_up():
    report = prove(ACME, cases=10_000, budget_s=2)

    assert report.is_good
    assert 0 < report.cases < 10_000
    assert report.took_s < 10


def test_a_law_that_breaks_ends_the_test_with_its_sentence(file):
    known = {"acme_case": Transform(lambda value: value.lower(), lambda value: value)}
    flip = {"acme_case": Transform(lambda value: value, lambda value: value[::-1] + "x")}
    text = ORDER + "  display_no: {native: number, as: acme_case}\n"
    schema = {"properties": {name: {} for name in ("id", "state", "total", "at")}}
    schema["properties"]["number"] = {"type": "string"}
    path = file(text)
    path.with_name("order.schema.json").write_text(json.dumps(schema))

    assert prove(path, cases=20, transforms=flip).failures == [
        "PutGet: display_no is not read as it was written"
    ]
    assert prove(path, cases=20, transforms=known).is_good


def test_a_missing_hypothesis_is_said_plainly(file, monkeypatch):
    # Nothing else makes an installed package look missing.
    monkeypatch.setitem(sys.modules, "hypothesis", None)

    with pytest.raises(ConfigError, match="need Hypothesis, which is not installed") as caught:
        prove(file(ORDER), cases=5)

    assert "hypothesis" in caught.value.hint
