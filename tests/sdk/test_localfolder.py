"""The local folder: nothing outside it, nothing half, nothing overwritten by a move."""

from __future__ import annotations

import asyncio
import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Forbidden, Rejected, Retry
from hub.sdk.localfolder import LocalFolder


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "pos"
    folder.mkdir()
    (tmp_path / "outside.txt").write_text("not yours")
    return folder


@pytest.fixture
def folder(root):
    return LocalFolder(root)


async def test_files_are_listed_by_name_with_size_and_time(root, folder):
    (root / "b.csv").write_text("12")
    (root / "a.csv").write_text("1")
    (root / "c.txt").write_text("")
    (root / "done").mkdir()
    (root / "done" / "d.csv").write_text("")
    os.utime(root / "a.csv", (5, 1234.5))

    assert [(one.name, one.size_bytes) for one in await folder.list("*.csv")] == [
        ("a.csv", 1),
        ("b.csv", 2),
    ]
    assert [one.name for one in await folder.list()] == ["a.csv", "b.csv", "c.txt"]
    assert [one.name for one in await folder.list("done/*")] == ["done/d.csv"]
    assert (await folder.stat("a.csv")).mtime_s == 1234.5
    assert await folder.stat("none.csv") is None
    assert await folder.stat("done") is None


async def test_a_folder_that_is_not_there_is_empty(tmp_path):
    folder = LocalFolder(tmp_path / "later")

    assert await folder.list() == []
    assert await folder.stat("a") is None


BAD = [
    "/etc/passwd",
    "../outside.txt",
    "a/../../outside.txt",
    "",
    "a\\b",
    "a\0b",
    "a\nb",
    "x" * 1025,
    "..",
]


@pytest.mark.parametrize("name", BAD)
async def test_names_that_lead_out_are_refused_by_every_verb(folder, name):
    for verb in (folder.list, folder.stat, folder.fetch, folder.delete):
        with pytest.raises(Forbidden):
            await verb(name)
    with pytest.raises(Forbidden):
        await folder.rename("a", name)
    with pytest.raises(Forbidden):
        await folder.rename(name, "a")
    with pytest.raises(Forbidden), folder.write(name):
        pass


@given(st.text(st.sampled_from("ab./\\\0"), max_size=12))
def test_no_name_reaches_a_path_outside(tmp_path_factory, name):
    root = tmp_path_factory.mktemp("pos")
    folder = LocalFolder(root)

    try:
        path = folder._path(name)
    except Forbidden:
        return

    assert path.resolve().is_relative_to(root)


async def test_links_are_neither_listed_nor_followed(root, folder, tmp_path):
    (root / "link.csv").symlink_to(tmp_path / "outside.txt")
    (root / "dir").symlink_to(tmp_path)

    assert await folder.list() == []
    assert await folder.list("dir/*") == []
    for name in ("link.csv", "dir/outside.txt"):
        for verb in (folder.stat, folder.fetch, folder.delete):
            with pytest.raises(Forbidden):
                await verb(name)
        with pytest.raises(Forbidden):
            await folder.rename(name, "mine")
        with pytest.raises(Forbidden), folder.write(name):
            pass
    assert (tmp_path / "outside.txt").read_text() == "not yours"


async def test_a_file_in_the_place_of_a_folder_is_refused(root, folder):
    (root / "file").write_text("x")

    with pytest.raises(Forbidden):
        await folder.stat("file/inner")


async def test_fetch_gives_the_file_itself(root, folder):
    (root / "a.csv").write_text("1")

    assert (await folder.fetch("a.csv")).read_text() == "1"
    with pytest.raises(Rejected, match="is gone"):
        await folder.fetch("b.csv")


async def test_a_move_makes_parents_and_never_replaces(root, folder):
    (root / "a.csv").write_text("a")
    (root / "b.csv").write_text("b")

    assert await folder.rename("a.csv", "done/2026/a.csv")
    assert not await folder.rename("a.csv", "done/2026/a.csv")
    with pytest.raises(Rejected, match="exists already"):
        await folder.rename("b.csv", "done/2026/a.csv")

    assert (root / "done/2026/a.csv").read_text() == "a"
    assert (root / "b.csv").read_text() == "b"


async def test_a_move_cut_between_its_two_steps_is_completed_by_repeating(root, folder):
    (root / "a.csv").write_text("a")
    os.link(root / "a.csv", root / "claimed.csv")

    assert await folder.rename("a.csv", "claimed.csv")

    assert [one.name for one in await folder.list()] == ["claimed.csv"]


async def test_two_that_claim_the_same_file_at_once_get_it_once(root, folder):
    for number in range(20):
        (root / f"f{number}").write_text("x")
        won = await asyncio.gather(
            *[folder.rename(f"f{number}", f"w{n}/f{number}") for n in range(4)]
        )
        assert won.count(True) == 1
        places = [one for n in range(4) for one in await folder.list(f"w{n}/f{number}")]
        assert len(places) == 1


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP])
async def test_a_disk_without_hard_links_still_never_replaces(root, folder, monkeypatch, code):
    def no_links(*args, **kwargs):
        raise OSError(code, "no")

    monkeypatch.setattr(os, "link", no_links)  # no such file system at hand
    (root / "a").write_text("a")
    (root / "b").write_text("b")

    assert await folder.rename("a", "c")
    with pytest.raises(Rejected):
        await folder.rename("b", "c")

    assert (root / "c").read_text() == "a"
    assert (root / "b").read_text() == "b"


async def test_deleting_twice_is_fine(root, folder):
    (root / "a").write_text("a")

    await folder.delete("a")
    await folder.delete("a")

    assert list(root.iterdir()) == []


async def test_a_written_file_appears_whole_and_replaces_its_older_self(root, folder):
    (root / "stock.csv").write_text("old")

    with folder.write("stock.csv") as file:
        file.write(b"new")
        assert (root / "stock.csv").read_text() == "old"
        assert [one.name for one in await folder.list()] == ["stock.csv"]

    assert (root / "stock.csv").read_bytes() == b"new"
    assert [one.name for one in root.iterdir()] == ["stock.csv"]


async def test_an_error_while_writing_leaves_nothing_behind(root, folder):
    with pytest.raises(KeyError), folder.write("out/stock.csv") as file:
        file.write(b"half")
        raise KeyError

    assert [one for one in root.rglob("*") if one.is_file()] == []


async def test_the_system_is_told_to_write_before_the_name_appears(root, folder, monkeypatch):
    steps = []
    real_fsync, real_replace = os.fsync, type(root).replace
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append("fsync"), real_fsync(handle))[1])
    monkeypatch.setattr(
        type(root), "replace", lambda s, t: (steps.append("name"), real_replace(s, t))[1]
    )

    with folder.write("a") as file:
        file.write(b"1")

    assert steps == ["fsync", "name", "fsync"]


@pytest.mark.parametrize(
    ("problem", "error"),
    [
        (PermissionError(errno.EACCES, "no"), Forbidden),
        (OSError(errno.ENOSPC, "full"), Retry),
        (OSError("odd"), Retry),
    ],
)
async def test_what_the_system_says_becomes_what_to_do_next(folder, monkeypatch, problem, error):
    def fails(*args, **kwargs):
        raise problem

    monkeypatch.setattr(os, "open", fails)  # a full or closed disk is not at hand
    with pytest.raises(error), folder.write("a.csv"):
        pass
    monkeypatch.setattr(LocalFolder, "_entry", fails)
    with pytest.raises(error):
        await folder.stat("a.csv")


def test_its_repr_shows_no_path_of_the_machine(folder, root):
    assert repr(folder) == "<LocalFolder pos>"
