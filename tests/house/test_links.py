"""What the documents point at is there; the README's links work where it is shown without the
rest, as on PyPI; the specification has a heading for everything that the code names."""

import re
import tomllib
from pathlib import Path

import pytest
from support import ROOT

from aig_codec.coders import registry
from aig_codec.container import kinds

HOME = "https://github.com/aig-format/pillow-aig"
SOURCES = {".py", ".cpp", ".hpp", ".inl", ".cu"}
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]

pytestmark = pytest.mark.skipif(
    not (ROOT / ".ci").exists(), reason="a part of the repository, as in a source distribution"
)


def links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))


def test_links_of_the_readme_are_absolute() -> None:
    found = links(ROOT / "README.md")
    assert len(found) > 10
    assert [link for link in found if not link.startswith("https://")] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_documents_point_at_is_there(path: Path) -> None:
    for link in links(path):
        if link.startswith(f"{HOME}/blob/main/"):
            assert (ROOT / link.removeprefix(f"{HOME}/blob/main/")).exists(), link
        elif "://" not in link:
            assert (path.parent / link).exists(), link


def headings(text: str) -> list[str]:
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", prose, re.MULTILINE)


def anchor(heading: str) -> str:
    """As GitHub makes them."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_anchors_are_there(path: Path) -> None:
    for link, name in re.findall(r"\]\(([^)#\s]*)#([^)]*)\)", path.read_text(encoding="utf-8")):
        if "://" in link and not link.startswith(f"{HOME}/blob/main/"):
            continue
        target = ROOT / link.removeprefix(f"{HOME}/blob/main/") if "://" in link else path
        if link and "://" not in link:
            target = path.parent / link
        found = [anchor(h) for h in headings(target.read_text(encoding="utf-8"))]
        assert name in found, (link, name)


def test_the_specification_has_a_heading_for_everything() -> None:
    text = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
    found = headings(text)
    for kind in kinds.KINDS:
        assert any(re.search(rf"Segment {kind}\b", h) for h in found), kind
    for coder in registry.known.values():
        if registry.is_built_in(coder.name):
            named = f"Coder {coder.name}, version {coder.version}"
            assert any(h.endswith(named) for h in found), coder.name
    contents = text.partition("## Contents")[2].partition("\n## ")[0]
    numbered = [h for h in found if re.match(r"\d", h)]
    assert [h for h in re.findall(r"- \[(.+)\]\(", contents) if h[0].isdigit()] == numbered


@pytest.mark.parametrize("name", ["format.md", "design-notes.md", "architecture.md"])
def test_lines_are_short(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if len(line) > 120] == []


def test_sections_that_are_cited_are_there() -> None:
    found = headings((ROOT / "docs" / "format.md").read_text(encoding="utf-8"))
    numbers = {h.split()[0].rstrip(".") for h in found if h[0].isdigit()}
    sources = [p for d in ("core", "tests") for p in (ROOT / d).rglob("*") if p.suffix in SOURCES]
    cited = {
        number
        for path in sources
        for place in re.findall(r"format\.md, ([\d., to]+)", path.read_text(encoding="utf-8"))
        for number in re.findall(r"\d+(?:\.\d+)*", place)
    }
    assert len(cited) > 20
    assert cited <= numbers


def test_the_project_says_where_it_lives() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"Homepage", "Documentation", "Changelog", "Issues"} <= project["urls"].keys()
    assert all(url.startswith(HOME) for url in project["urls"].values())
