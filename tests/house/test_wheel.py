"""The wheel holds every data file of the tree: a hub that is installed is the hub that was tested."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.house.tree import CODE, ROOT, files, name

SHIPPED = (*CODE, "mappings")


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_of_the_tests(
    tmp_path: Path,
) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    wanted = {name(p) for p in files(under=SHIPPED)}
    for file in [*wanted, "pyproject.toml", "README.md", "LICENSE"]:
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, source / file)

    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps",
         "--no-build-isolation", "--no-index", "--wheel-dir", out, source],
        check=True,
        capture_output=True,
    )  # fmt: skip

    (wheel,) = out.glob("channelhub-*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    assert wanted <= packed, sorted(wanted - packed)
    assert not [p for p in packed if p.startswith(("tests/", "benchmarks/"))]
