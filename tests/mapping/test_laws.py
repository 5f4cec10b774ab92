"""The laws, on every mapping file there is: those of the channels and the made-up one here."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from hub.errors import MappingError
from hub.mapping import Mapping, laws, load, samples
from hub.records.rows import thaw
from hub.sdk.hooks import Transform

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = sorted([*ROOT.glob("mappings/*/*.yaml"), *HERE.glob("acme/*.yaml")])
QUICK = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def transforms(code: str) -> dict[str, Transform]:
    if not (ROOT / "connectors" / code).is_dir():
        return {}
    package = importlib.import_module(f"connectors.{code}")
    hook = getattr(package, "hub_transforms", None)
    return dict(hook()) if hook is not None else {}


@pytest.fixture(params=FILES, ids=lambda file: f"{file.parent.name}-{file.stem}", scope="module")
def mapping(request: pytest.FixtureRequest) -> Mapping:
    return load(request.param, transforms=transforms(request.param.parent.name))


@cache
def made(mapping: Mapping) -> samples.Samples:
    return samples.Samples(mapping.spec)


def document_of(data: st.DataObject, mapping: Mapping, setting: samples.Setting) -> dict:
    """Make up a document; one that only a connector's own transform refuses is discarded."""
    document = data.draw(made(mapping).documents(setting), label="document")
    plugins = {p.canonical for p in mapping.spec.pairs() if p.codec is not None and p.codec.plugin}
    try:
        mapping.to_canonical(document)
    except MappingError as error:
        if not laws.only_in(error, plugins):
            raise
        assume(False)
    return document


@QUICK
@given(data=st.data(), setting=samples.settings)
def test_what_was_read_is_a_record_and_writing_it_back_changes_nothing(mapping, data, setting):
    document = document_of(data, mapping, setting)

    rows = laws.agreement(mapping, document)
    laws.get_put(mapping, document)
    laws.fresh(mapping, document)

    for row in rows:
        record = mapping.to_record(row)
        assert mapping.to_record(mapping.to_row(record)) == record
        assert mapping.to_native(record, onto=document) == mapping.to_native(row, onto=document)


@QUICK
@given(data=st.data(), setting=samples.settings)
def test_new_rows_are_the_thawed_rows(mapping, data, setting):
    document = document_of(data, mapping, setting)

    assert mapping.to_new(document) == [
        thaw(mapping.record, row) for row in mapping.to_canonical(document)
    ]


@QUICK
@given(data=st.data(), setting=samples.settings)
def test_what_was_written_is_read(mapping, data, setting):
    document = document_of(data, mapping, setting)
    row = data.draw(made(mapping).rows(setting), label="row")

    if not laws.can_put(mapping):  # the record's key only comes in: put it where it was found
        rows = mapping.to_canonical(document)
        assume(rows)
        row = rows[0]
    laws.put_get(mapping, row, document)
