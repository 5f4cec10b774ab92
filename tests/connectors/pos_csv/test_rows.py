"""Records out of text: strict, and back on the road after a broken quote."""

from __future__ import annotations

import io
import time

import pytest

from connectors.pos_csv.rows import MOST_CHARS, Record, records


def split(text: str, *, delimiter: str = ",", width: int | None = 3) -> list[Record]:
    return list(records(io.StringIO(text, newline=""), delimiter=delimiter, width=width))


def told(found: list[Record]) -> list[tuple[int, list[str] | str]]:
    return [(r.line, r.problem if r.problem == "QUOTE" else r.cells) for r in found]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_line_endings_of_all_kinds(end: str) -> None:
    assert told(split(f"a,b,c{end}1,2,3{end}")) == [(1, ["a", "b", "c"]), (2, ["1", "2", "3"])]


def test_quoted_newline_belongs_to_its_record() -> None:
    assert told(split('a,"b\r\nb",c\r\n1,2,3\r\n')) == [
        (1, ["a", "b\r\nb", "c"]),
        (3, ["1", "2", "3"]),
    ]


@pytest.mark.parametrize("at", range(65_530, 65_540))
def test_quoted_newline_across_a_block_boundary_keeps_every_byte(at: int) -> None:
    filler = [f"{n:07d},x,y\r\n" for n in range(at // 13)]
    text = "".join(filler)
    text += "p" * (at - len(text) - 6) + ',"a\r\nb",z\r\n1,2,3\r\n'
    assert split(text)[-2].cells[1] == "a\r\nb"


def test_text_behind_a_quote_costs_one_row() -> None:
    assert told(split('1,2,3\n4,"5" screen,6\n7,8,9\n')) == [
        (1, ["1", "2", "3"]),
        (2, "QUOTE"),
        (3, ["7", "8", "9"]),
    ]


def test_an_unclosed_quote_costs_one_row_and_no_more() -> None:
    rows = [f"{n},x,y\n" for n in range(1000)]
    rows[1] = '1,"x,y\n'

    found = split("".join(rows))

    assert [r.line for r in found if r.problem] == [2]
    assert [r.cells[0] for r in found if not r.problem] == [str(n) for n in range(1000) if n != 1]


def test_two_unclosed_quotes_that_seem_to_close_each_other_swallow_nothing() -> None:
    found = split('1,"x,y\n2,x,y\n3,x,y"\n4,x,y\n')

    assert [(r.line, r.problem) for r in found] == [(1, "QUOTE"), (2, None), (3, None), (4, None)]


def test_a_quote_open_at_the_end_of_the_file() -> None:
    assert told(split('1,2,3\n4,"5,6\n7,8,9')) == [
        (1, ["1", "2", "3"]),
        (2, "QUOTE"),
        (3, ["7", "8", "9"]),
    ]


def test_ragged_rows_are_marked_and_trailing_empty_cells_forgiven() -> None:
    found = split("1,2\n1,2,3,,\n1,2,3,4\n")
    assert [(r.problem, r.cells) for r in found] == [
        ("RAGGED", ["1", "2"]),
        (None, ["1", "2", "3"]),
        ("RAGGED", ["1", "2", "3", "4"]),
    ]


def test_nul_is_refused_in_its_row() -> None:
    assert [r.problem for r in split("1,2\0,3\n4,5,6\n")] == ["NUL", None]


def test_blank_lines_are_left_out() -> None:
    assert [r.line for r in split("1,2,3\n\n4,5,6\n\n")] == [1, 3]


def test_one_endless_field_fails_fast_in_constant_memory() -> None:
    class Endless(io.TextIOBase):
        left = 50_000_000

        def readline(self, size: int = -1) -> str:  # type: ignore[override]
            if not self.left:
                return ""
            assert 0 < size <= MOST_CHARS
            self.left -= min(size, self.left)
            return '"' + "x" * (size - 1)

    started = time.monotonic()
    found = list(records(Endless(), delimiter=",", width=3))  # type: ignore[arg-type]

    assert [r.problem for r in found] == ["QUOTE"]
    assert len(found[0].raw) <= MOST_CHARS
    assert time.monotonic() - started < 5
