"""What the documents point at is there; the README's links work where it is shown without the
rest, as on PyPI."""

import re
import tomllib
from pathlib import Path

import pytest
from support import ROOT

HOME = "https://github.com/aig-format/pillow-aig"
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


def test_the_project_says_where_it_lives() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"Homepage", "Documentation", "Changelog", "Issues"} <= project["urls"].keys()
    assert all(url.startswith(HOME) for url in project["urls"].values())
