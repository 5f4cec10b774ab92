"""Mapping files: one declaration per channel and kind, both ways, compiled to Python.

`load` reads and checks a file and returns a `Mapping`; `check` and `test` serve the people who
write one. The format is described in docs/reference/mapping.md.
"""

from hub.mapping.check import Coverage, Report, check, test
from hub.mapping.document import Problem
from hub.mapping.engine import Fields, Mapping
from hub.mapping.explain import Explained
from hub.mapping.load import load
from hub.mapping.rows import Row

__all__ = [
    "Coverage",
    "Explained",
    "Fields",
    "Mapping",
    "Problem",
    "Report",
    "Row",
    "check",
    "load",
    "test",
]
