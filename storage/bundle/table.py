"""One table of a bundle: its columns, its key, and how many rows it may have."""

from dataclasses import dataclass

from storage.bundle.cells import Column


@dataclass(frozen=True)
class Table:
    """One file of the bundle.

    Attributes:
        name: The name of the file, without ``.csv``.
        meaning: What a row is.
        key: No two rows have the same values in these columns.
        required: Whether a bundle cannot be imported without it.
        absent: What import assumes if a bundle does not have it.
        most: How many rows can be imported.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    required: bool = False
    absent: str = ""
    most: int = 20_000

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.name}.csv"
