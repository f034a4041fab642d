"""``blackmagic init``: the files that a study starts from, in a folder of one's own."""

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


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go; it is made if need be.")],
) -> None:
    """Write the files that a study starts from: study.toml, consent.md and manifest.yml. Nothing is overwritten."""
    kept: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, what_for in _WHAT_FOR.items():
            if _write(folder / name, (TEMPLATES / name).read_bytes()):
                print(f"Wrote {folder / name}: {what_for}.")
            else:
                print(f"Kept {folder / name}, which was there before.")
                kept.append(name)
    except OSError as error:
        print(f"{error.filename or folder} cannot be written: {error.strerror or error}.", file=sys.stderr)
        raise typer.Exit(USAGE) from None
    if kept:
        print(f"To start afresh, move {' and '.join(kept)} away and run this again.")
    print(
        f"Next: fill in what stands in [square brackets] in {CONSENT}, make the Slack app from {MANIFEST} "
        "(api.slack.com/apps, “From a manifest”), set SLACK_BOT_TOKEN and SLACK_APP_TOKEN, and start “blackmagic run” "
        f"in {folder}."
    )


def _write(path: Path, content: bytes) -> bool:
    """Write a new file. Returns whether it was written: a file that is there stays as it is."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True
