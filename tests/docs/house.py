"""Draws the house, ``docs/house.md``, from the code: ``python -m tests.docs.house`` (or ``make house``).

What is in a folder is said by its own first docstring; who imports whom is read from the imports.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "house.md"
TOPS = ("bot", "reports", "storage", "training")

_HEAD = """\
# The house

Which folder has what, and who imports whom. `make house` makes this page from the code; a test fails when it is old.
The arrows are also the contracts that `make lint` checks (`[tool.importlinter]` in `pyproject.toml`): imports run one
way. How one thing passes through the house is told in [four walks](walks.md).
"""


def draw() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_arrows(), "", *_rooms()]) + "\n"


def _arrows() -> Iterator[str]:
    """The packages and their imports, as a Mermaid flow chart: an arrow means *imports*."""
    graph = grimp.build_graph(*TOPS)
    rooms = {package: _room_of(package) for package in graph.modules}
    arrows = {
        (rooms[importer], rooms[imported])
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if rooms[importer] != rooms[imported]
    }
    yield "```mermaid"
    yield "flowchart TD"
    yield "    subgraph bot"
    for room in sorted({each for each in rooms.values() if each.startswith("bot.")}):
        yield f'        {room.replace(".", "_")}["{room.removeprefix("bot.")}"]'
    yield "    end"
    for importer, imported in sorted(_without_detours(arrows)):
        yield f"    {importer.replace('.', '_')} --> {imported.replace('.', '_')}"
    yield "```"


def _room_of(module: str) -> str:
    """The room that a module is drawn in: within ``bot`` its folder or file, elsewhere the whole package."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "bot" else parts[0]


def _without_detours(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Only arrows that do not follow from others: where A imports B and B imports C, A to C is not drawn."""
    followers: dict[str, set[str]] = {}
    for importer, imported in arrows:
        followers.setdefault(importer, set()).add(imported)

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(followers.get(start, ()))
        while waiting:
            room = waiting.pop()
            if room not in seen:
                seen.add(room)
                waiting.extend(followers.get(room, ()))
        return seen

    return {
        (importer, imported)
        for importer, imported in arrows
        if not any(imported in reach(other) for other in followers[importer] - {imported})
    }


def _rooms() -> Iterator[str]:
    """Every package with what its files are for."""
    for top in TOPS:
        packages = (each.parent for each in (ROOT / top).rglob("__init__.py"))
        for folder in sorted(packages):
            if "versions" in folder.parts:
                continue
            yield f"## `{folder.relative_to(ROOT)}/`"
            yield ""
            yield _first_sentence(folder / "__init__.py")
            yield ""
            files = [each for each in sorted(folder.glob("*.py")) if each.name != "__init__.py"]
            if files:
                yield "| file | what for |"
                yield "|---|---|"
                for file in files:
                    yield f"| `{file.name}` | {_first_sentence(file).replace('|', chr(92) + '|')} |"
                yield ""


def _first_sentence(file: Path) -> str:
    """The first line of a module's docstring, with Sphinx's roles as plain code."""
    text = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").split("\n\n")[0].replace("\n", " ")
    for role in ("mod", "class", "func", "meth", "data"):
        text = text.replace(f":{role}:`", "`")
    return text.replace("``", "`")


def main() -> None:
    """Write the page."""
    PAGE.write_text(draw(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is written.")


if __name__ == "__main__":
    main()
