"""The sentences in the code from which participants' texts are made, so that none is missed that nobody met."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.bot.said.page import Page

ROOT = Path(__file__).parents[3]

_IS_A_TYPE = re.compile(r"\w+( \| \w+)+")

SOURCES = (
    "bot/participant",
    "bot/live",
    "bot/slack/error_reporting.py",
    "bot/slack/interactions.py",
    "bot/study",
    "reports/figures/loss_plot",
    "storage/transitions",
    "storage/refusals.py",
    "storage/schema/comments.py",
    "training/bounds.py",
    "training/hyperparameters.py",
    "training/numbers.py",
    "training/workers/protocol.py",
)
"""Where they are."""

_FOR_OTHERS = (
    "bot/study/researcher_actions.py",
    "bot/study/protocols.py",
    "storage/transitions/baselines.py",
    "storage/transitions/studies.py",
)
"""What only researchers read."""

_CALLS_FOR_THE_LOG = frozenset(
    {"error", "warning", "info", "exception", "debug", "ValueError", "KeyError", "RuntimeError"}
)
"""Functions whose texts only the log gets, and errors of the programmer."""


def add_sentences(page: Page) -> None:
    """Add every sentence of these files that is not on the page yet."""
    known = " ".join(page.texts)
    for file in _files():
        name = file.relative_to(ROOT).as_posix()
        page.add(f"Other sentences in {name}", [each for each in _sentences(file) if not _is_known(each, known)])


def _files() -> Iterator[Path]:
    for source in SOURCES:
        path = ROOT / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if file.relative_to(ROOT).as_posix() not in _FOR_OTHERS:
                yield file


def _sentences(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    left_out = {id(part) for each in ast.walk(tree) if _is_not_said(each) for part in ast.walk(each)}
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.JoinedStr):
            left_out |= {id(part) for part in node.values if isinstance(part, ast.Constant)}
            text = "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if " " in text.strip() and any(each.isalpha() for each in text) and not _IS_A_TYPE.fullmatch(text):
            yield text


def _is_not_said(node: ast.AST) -> bool:
    """Docstrings, and what goes into the log."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return called in _CALLS_FOR_THE_LOG or called == "compile"
    return False


def _is_known(sentence: str, known: str) -> bool:
    return all(part.strip() in known for part in sentence.split("…"))
