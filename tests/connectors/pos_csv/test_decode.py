"""Which encoding a file has, and what is no text at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.pos_csv.decode import attempt, candidates
from connectors.pos_csv.errors import FileProblem

CHINESE = "流水号,商品名称\r\nA1,红色棉布T恤加大码\r\n"


def encodings(tmp_path: Path, content: bytes, pinned: str = "auto") -> list[str]:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    return candidates(path, pinned)


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", ["utf-8", "gb18030"]),
        ("utf-8-sig", ["utf-8-sig"]),
        ("gb18030", ["gb18030"]),
        ("gbk", ["gb18030"]),
        ("utf-16", ["utf-16"]),
    ],
)
def test_encoding_is_found_by_decoding_the_whole_file(
    tmp_path: Path, encoding: str, found: list[str]
) -> None:
    assert encodings(tmp_path, CHINESE.encode(encoding)) == found


def test_gb18030_reads_what_gbk_lacks(tmp_path: Path) -> None:
    assert encodings(tmp_path, "𠮷野家,€5\r\n".encode("gb18030")) == ["gb18030"]


def test_plain_ascii_is_utf8(tmp_path: Path) -> None:
    assert encodings(tmp_path, b"a,b\r\n1,2\r\n") == ["utf-8"]


def test_a_bad_byte_late_in_the_file_is_named_by_its_offset(tmp_path: Path) -> None:
    good = b"x" * (2 << 20)
    with pytest.raises(FileProblem, match=str(len(good) + 4)) as caught:
        encodings(tmp_path, good + "中".encode("gb18030") + b"ab\xff\xff" + b"y", "gb18030")
    assert caught.value.code == "ENCODING"
    assert not caught.value.partial


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_cut_last_character_is_an_unfinished_file(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(FileProblem) as caught:
        encodings(tmp_path, ("中文" * 5 + "店").encode(encoding)[:-1])
    assert (caught.value.code, caught.value.partial) == ("INCOMPLETE", True)


def test_a_pinned_encoding_is_not_second_guessed(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="not utf-8"):
        encodings(tmp_path, CHINESE.encode("gb18030"), "utf-8")
    assert encodings(tmp_path, CHINESE.encode("gb18030"), "gb18030") == ["gb18030"]


@pytest.mark.parametrize(
    "head", [b"PK\x03\x04abc", b"\xd0\xcf\x11\xe0abc", b"  <HTML><table>", b"\xef\xbb\xbf<?xml"]
)
def test_workbooks_and_pages_are_unsupported(tmp_path: Path, head: bytes) -> None:
    with pytest.raises(FileProblem) as caught:
        encodings(tmp_path, head)
    assert caught.value.code == "UNSUPPORTED"


@given(
    text=st.text(
        alphabet=st.characters(min_codepoint=32, max_codepoint=0x2FFFF, exclude_categories=["Cs"])
    )
)
def test_every_text_decodes_in_its_own_encoding(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "text.csv"
    for encoding in ("utf-8", "gb18030"):
        path.write_bytes(text.encode(encoding))
        assert attempt(path, encoding).broken_at is None
