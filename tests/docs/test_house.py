"""The pages about the code are true: the house is drawn from it, and every step of the walks is there."""

import ast
import re

import pytest

from tests.docs.house import PAGE, ROOT, draw

WALKS = (ROOT / "docs" / "walks.md").read_text(encoding="utf-8")
STEP = re.compile(r"^\d+\. `(?P<file>[\w/]+\.py)` `(?P<function>[\w.]+)` – .+$", re.MULTILINE)


def test_the_house_is_drawn_as_it_stands():
    assert PAGE.read_text(encoding="utf-8") == draw(), "docs/house.md is old: run `make house`"


def defined(file):
    """The names of a file's functions and methods, such as ``draw`` and ``Store.read``."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{each.name}" for each in node.body if isinstance(each, ast.FunctionDef))


@pytest.mark.parametrize(("file", "function"), STEP.findall(WALKS))
def test_every_step_of_a_walk_is_there(file, function):
    assert function in set(defined(file))


@pytest.mark.parametrize("walk", WALKS.split("\n## ")[1:], ids=lambda walk: walk.splitlines()[0])
def test_a_walk_says_how_many_files_it_passes(walk):
    files = {file for file, _ in STEP.findall(walk)}
    assert f"It passes {len(files)} files." in walk
    numbers = [int(each) for each in re.findall(r"^(\d+)\. ", walk, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
