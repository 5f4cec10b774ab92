"""Documents tell the truth: commands exist, pages are complete, links lead somewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from hub import config
from tests.house import reference
from tests.house.tree import ROOT, files, name

MOST_DEPENDENCIES = 40
DECISION_PARTS = [
    "## Context", "## Decision", "## Alternatives", "## Consequences", "## How we would know it was wrong",
]  # fmt: skip
FRAGMENT_KINDS = frozenset({"added", "changed", "deprecated", "removed", "fixed", "security"})
READMES = ("README.md", "README.zh-CN.md")


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z0-9-]*):", text("Makefile"), re.MULTILINE))


def documents() -> list[str]:
    top = [p for p in files(".md") if p.parent == ROOT]
    return [name(p) for p in [*top, *files(".md", under=("docs", "changes"))]]


def shell_lines(markdown: str) -> list[str]:
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", markdown, re.DOTALL)
    return [
        line.split("  #")[0].strip().removeprefix("$ ") for b in blocks for line in b.splitlines()
    ]


@pytest.mark.parametrize("path", documents())
def test_every_make_command_in_a_document_exists(path: str) -> None:
    said = {
        hit for line in shell_lines(text(path)) for hit in re.findall(r"^make ([a-z0-9-]+)", line)
    }
    said |= set(re.findall(r"`make ([a-z][a-z0-9-]*)", text(path)))

    assert said <= make_targets(), f"{path} names {sorted(said - make_targets())}"


@pytest.mark.parametrize("path", documents())
def test_every_hub_command_in_a_document_exists(path: str) -> None:
    known = {words[1:] for words, _ in reference.walk(reference.application(), ("hub",))}
    said = {tuple(m.split()) for line in shell_lines(text(path)) for m in _hub_words(line)}
    said |= {tuple(m.split()) for m in re.findall(r"`hub ((?:[a-z]+ ?){1,2})", text(path))}

    unknown = [words for words in said if words[:1] not in known and words[:2] not in known]
    assert not unknown, f"{path} names {unknown}"


def _hub_words(line: str) -> list[str]:
    match = re.match(r"(?:HUB_HOME=\S+ )?(?:.venv/bin/)?hub ((?:[a-z]+ ?){1,2})", line)
    return [match[1]] if match else []


@pytest.mark.parametrize("path", documents())
def test_every_local_link_leads_to_a_file(path: str) -> None:
    folder = (ROOT / path).parent
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text(path))

    missing = [link for link in links if not (folder / link).exists()]
    assert not missing, f"{path} links to {missing}"


def test_every_page_of_the_documentation_is_in_the_navigation() -> None:
    settings = yaml.safe_load(text("mkdocs.yml"))

    def pages(node: object) -> list[str]:
        if isinstance(node, str):
            return [node]
        parts = node.values() if isinstance(node, dict) else node
        return [page for part in parts for page in pages(part)]  # type: ignore[union-attr]

    listed = pages(settings["nav"])
    assert sorted(listed) == sorted(
        name(p).removeprefix("docs/") for p in files(".md", under=("docs",))
    )


@pytest.mark.parametrize("page", sorted(reference.PAGES))
def test_a_reference_page_says_what_the_code_says(page: str) -> None:
    path = reference.FOLDER / page

    wanted = reference.page(path, reference.PAGES[page]())

    assert path.read_text("utf-8") == wanted, f"docs/reference/{page} is stale: make reference"


def test_every_setting_is_read_somewhere() -> None:
    code = "\n".join(p.read_text("utf-8") for p in files(".py", under=("hub/cli",)))
    code += text("hub/app.py")

    idle = [key for key in config.RULES if f"settings.{key}" not in code]
    assert not idle, "a setting that nothing reads is a lie"


def test_every_command_line_option_is_explained() -> None:
    silent = [
        f"{' '.join(words)} {parameter.name}"
        for words, command in reference.walk(reference.application(), ("hub",))
        for parameter in command.params
        if not (getattr(parameter, "help", None) or "").strip()
    ]
    assert not silent


def test_every_command_explains_itself_and_all_that_end_by_themselves_take_json() -> None:
    until_stopped = {("hub", "serve"), ("hub", "sandbox", "run")}
    for words, command in reference.walk(reference.application(), ("hub",)):
        assert (command.help or "").strip(), words
        options = {flag for parameter in command.params for flag in parameter.opts}
        assert "--json" in options or words in until_stopped, words


def test_every_error_has_a_page_entry_and_a_sentence() -> None:
    written = reference.families()

    assert "## Throttled" in written
    assert "\n\n\n" not in written


def test_the_errors_table_names_the_whole_recovery_family() -> None:
    tree = set(re.findall(r"\+- (\w+)", reference.families())) - {"ChannelError"}

    assert tree == set(
        re.findall(r"^\| `(\w+)` \|", text("docs/reference/errors.md"), re.MULTILINE)
    )


def test_every_direct_dependency_has_its_reason() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(one for extra in extras for one in extra)]
    names = [re.split(r"[\[<>=!; ]", requirement)[0] for requirement in wanted]

    rows = re.findall(
        r"^\| ([\w-]+) \| (.+) \|$", text("docs/decisions/0002-dependencies.md"), re.MULTILINE
    )
    reasons = {package: why for package, why in rows if package not in {"package", "---"}}
    assert len(names) <= MOST_DEPENDENCIES
    assert sorted(reasons) == sorted(names)
    assert all(len(why.split()) >= 3 for why in reasons.values())


@pytest.mark.parametrize("path", sorted(p.name for p in (ROOT / "docs/decisions").glob("0*.md")))
def test_a_decision_has_its_five_parts_on_one_page(path: str) -> None:
    page = text(f"docs/decisions/{path}")

    assert [line for line in page.splitlines() if line in DECISION_PARTS] == DECISION_PARTS
    assert page.startswith(f"# {path[:4]}: ")
    assert len(page.splitlines()) <= 120
    assert f"]({path})" in text("docs/decisions/index.md")


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(p.name[:4]) for p in (ROOT / "docs/decisions").glob("0*.md"))

    assert numbers == list(range(1, len(numbers) + 1))


def test_every_news_fragment_is_of_a_known_kind_and_says_something() -> None:
    fragments = [p for p in (ROOT / "changes").iterdir() if p.name != "README.md"]

    for fragment in fragments:
        assert re.fullmatch(r"[a-z0-9-]+\.[a-z]+\.md", fragment.name), fragment.name
        assert fragment.name.split(".")[1] in FRAGMENT_KINDS, fragment.name
        assert fragment.read_text("utf-8").strip().endswith("."), fragment.name


def test_the_changelog_has_room_for_what_comes() -> None:
    headings = re.findall(r"^## (.+)$", text("CHANGELOG.md"), re.MULTILINE)

    assert headings[0] == "[Unreleased]"


@pytest.mark.parametrize("path", READMES)
def test_a_readme_starts_with_the_two_commands(path: str) -> None:
    lines = shell_lines(text(path))

    assert lines[:2] == ["make demo", "make test"]


def test_both_readmes_have_the_same_parts_and_commands() -> None:
    ours, theirs = (text(path) for path in READMES)

    assert len(re.findall(r"^## ", ours, re.MULTILINE)) == len(
        re.findall(r"^## ", theirs, re.MULTILINE)
    )
    assert shell_lines(ours) == shell_lines(theirs)
    assert "](README.zh-CN.md)" in ours
    assert "](README.md)" in theirs


def test_every_make_target_explains_itself() -> None:
    lines = re.findall(r"^[a-z][a-z0-9-]*:.*$", text("Makefile"), re.MULTILINE)

    assert all("  ## " in line for line in lines), [line for line in lines if "  ## " not in line]


def test_the_licence_names_its_holder() -> None:
    licence = text("LICENSE")

    assert "Apache License" in licence
    assert "Copyright 2026 the channel hub maintainers" in licence
    assert Path(ROOT / "LICENSE").stat().st_size > 11_000
