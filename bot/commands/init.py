"""``blackmagic init``: the files that a study starts from, in a folder of one's own."""

import json
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.study_file import CONSENT, MANIFEST, STUDY, TEMPLATES, USAGE

_WHAT_FOR = {
    STUDY: "the rules of the study, and where it runs",
    CONSENT: "the text that participants agree to",
    MANIFEST: "the Slack app",
}


_NO_TEXTS = ("yes", "no", "on", "off", "true", "false", "null")
"""Words that YAML does not read as text."""

_LONGEST_NAME = 35
"""Characters that Slack allows for the name of an app."""

_NAME = re.compile(r"(?m)^( +(?:name|display_name): )(.+)$")
"""The lines of the manifest that name the app and its bot."""


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go; it is made if need be.")],
    app_name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What the Slack app is called. Participants see it, so it should not say what the study wants to find "
            "out. Without it, you are asked.",
        ),
    ] = None,
) -> None:
    """Write the files that a study starts from: study.toml, consent.md and manifest.yml. Nothing is overwritten."""
    kept: list[str] = []
    name = _checked(app_name if app_name is not None else _asked(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, what_for in _WHAT_FOR.items():
            content = (TEMPLATES / file).read_bytes()
            if _write(folder / file, _named(content, name) if file == MANIFEST else content):
                print(f"Wrote {folder / file}: {what_for}.")
            else:
                print(f"Kept {folder / file}, which was there before.")
                kept.append(file)
    except OSError as error:
        print(f"{error.filename or folder} cannot be written: {error.strerror or error}.", file=sys.stderr)
        raise typer.Exit(USAGE) from None
    if MANIFEST in kept and app_name is not None:
        print(f"The app is called what {folder / MANIFEST} says, and not “{name}”.")
    if kept:
        print(f"To start afresh, move {' and '.join(kept)} away and run this again.")
    print(
        f"Next: fill in what stands in [square brackets] in {CONSENT}, make the Slack app from {MANIFEST} "
        "(api.slack.com/apps, “From a manifest”), set SLACK_BOT_TOKEN and SLACK_APP_TOKEN, and start “blackmagic run” "
        f"in {folder}."
    )


def _asked(folder: Path) -> str:
    """What the person at the terminal calls the app; the usual name where nobody can be asked, or need not be."""
    usual = _usual_name()
    if (folder / MANIFEST).exists() or not _is_terminal():
        return usual
    print("Participants see the name of the Slack app. It should not say what the study wants to find out.")
    return str(typer.prompt("What is the app to be called?", default=usual))


def _is_terminal() -> bool:
    """Whether there is somebody who can be asked."""
    return sys.stdin.isatty()


def _usual_name() -> str:
    found = _NAME.search((TEMPLATES / MANIFEST).read_text(encoding="utf-8"))
    return found[2] if found is not None else ""


def _checked(name: str) -> str:
    """The name, if Slack takes it.

    Raises:
        typer.Exit: Slack does not; the reason is printed.
    """
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        print(
            f"The name of a Slack app has 1 to {_LONGEST_NAME} characters, in one line. Nothing was written.",
            file=sys.stderr,
        )
        raise typer.Exit(USAGE)
    return name


def _named(manifest: bytes, name: str) -> bytes:
    """The manifest of an app with this name. What YAML could take for something else is put in quotation marks."""
    written = name if re.fullmatch(r"[A-Za-z][A-Za-z ]*[A-Za-z]", name) else json.dumps(name, ensure_ascii=False)
    if written.lower() in _NO_TEXTS:
        written = f'"{written}"'
    return _NAME.sub(lambda line: line[1] + written, manifest.decode()).encode()


def _write(path: Path, content: bytes) -> bool:
    """Write a new file. Returns whether it was written: a file that is there stays as it is."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True
