"""Pages point to what exists: files, headings, commands, options, labels; and print what the code prints."""

from __future__ import annotations

import re
import shlex
import tomllib
from itertools import dropwhile
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer
from typer.main import get_command
from wnis_core.mapping import parse_mapping
from wnis_graph.schema.model import RELATIONSHIPS, SCHEMA
from wnis_ops.cli.main import app
from wnis_ops.demo.describe import main as describe

from tests.guide_blocks import GUIDE, ROOT, Block, blocks, marked

PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?^```|`[^`\n]*`", re.M | re.S)


def prose(page: Path) -> str:
    return _CODE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_resolves(page: Path) -> None:
    broken = []
    for found in _LINK.finditer(prose(page)):
        link = found[1] or found[2]
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs" / "adr").glob("[0-9]*.md")}
    assert {name for name in pages if f"({name})" not in index} == set()


def test_every_page_of_the_guide_is_in_its_index() -> None:
    index = (GUIDE / "index.md").read_text(encoding="utf-8")
    assert {p.name for p in GUIDE.glob("*.md") if p.name != "index.md" and f"({p.name})" not in index} == set()


def commands() -> list[tuple[Block, list[str]]]:
    """Every ``wnis ...`` line in shell blocks of README and guide."""
    found = []
    for page in [ROOT / "README.md", *sorted(GUIDE.glob("*.md"))]:
        for block in blocks(page):
            if block.says.split(" ")[0] != "sh":
                continue
            for statement in _statements(block.text):
                words = list(dropwhile(lambda word: re.fullmatch(r"[A-Z_]+=.*", word), statement))
                if words and words[0].rsplit("/", 1)[-1] == "wnis":
                    found.append((block, words[1:]))
    return found


def _statements(text: str) -> list[list[str]]:
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars="\n;")
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    statements: list[list[str]] = [[]]
    for token in lexer:
        if set(token) <= {"\n", ";"}:
            statements.append([])
        else:
            statements[-1].append(token)
    return [s for s in statements if s]


@pytest.mark.parametrize(
    ("block", "words"), commands(), ids=lambda v: f"{v.page.name}:{v.line}" if isinstance(v, Block) else ""
)
def test_every_command_and_option_exists(block: Block, words: list[str]) -> None:
    command = get_command(app)
    rest = list(words)
    while rest and isinstance(command, typer.core.TyperGroup):
        assert rest[0] in command.commands, f"{block.page.name}:{block.line}: wnis has no {rest[0]}"
        command = command.commands[rest.pop(0)]
    options = {name for p in command.params for name in p.opts} | {"--help"}
    given = {word.split("=")[0] for word in rest if word.startswith("--")}
    assert given <= options, f"{block.page.name}:{block.line}: {given - options}"


def test_there_are_commands_to_check() -> None:
    assert len(commands()) >= 12


def named(block: Block) -> str:
    return f"{block.page.name}:{block.line}"


IN_GUIDE = [block for page in sorted(GUIDE.glob("*.md")) for block in blocks(page)]


@pytest.mark.parametrize("block", [b for b in IN_GUIDE if "wnis query" in b.text], ids=named)
def test_queries_name_labels_and_relationships_of_the_graph(block: Block) -> None:
    known = {label.name for label in SCHEMA.labels} | {r.name for r in RELATIONSHIPS}
    assert set(re.findall(r"[(\[]\w*:(\w+)", block.text)) <= known


@pytest.mark.parametrize("block", [b for b in IN_GUIDE if b.says.startswith("toml")], ids=named)
def test_mappings_of_the_guide_are_valid(block: Block) -> None:
    tomllib.loads(block.text)
    if block.says.startswith("toml mapping"):
        parse_mapping(block.text, block.says)


def test_the_figures_of_the_demonstration_are_those_that_its_command_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (command,) = marked("sh testable describe", "concepts.md")
    (printed,) = marked("text output describe", "concepts.md")
    words = shlex.split(command.text)
    assert words[:3] == ["python", "-m", "wnis_ops.demo.describe"]
    describe(words[3:])
    assert capsys.readouterr().out == printed.text
