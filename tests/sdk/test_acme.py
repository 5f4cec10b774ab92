"""The suite passes on a good connector, exactly as the docs show it."""

from __future__ import annotations

from typing import ClassVar

from hub.sdk import Change
from hub.sdk.testing import ConnectorSuite
from tests.sdk import acme


def round_trip(kind, document):
    return [] if {"id", "total", "changed"} == set(document) else ["fields"]


class TestAcme(ConnectorSuite):
    connector = acme.Acme
    simulator = acme.simulator
    credentials: ClassVar = acme.FORM
    stock = (Change("A", {"sku": "A", "qty": 3}), Change("X", {"sku": "X", "qty": 1}))
    refused = frozenset({"X"})
    known: ClassVar = {"order": "o2"}
    deliveries = (acme.GOOD,)
    signature_header = "x-acme-sign"
