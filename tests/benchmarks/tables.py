"""The results as tables."""

from rich.table import Table

from tests.benchmarks.measure import Cell, Decoding, Latency


def speeds_table(cells: list[Cell]) -> Table:
    table = Table(title="Training, images per second (medians)")
    for name in (
        "px",
        "batch",
        "original, 8 workers",
        "at its best",
        "ours",
        "limit",
        "/ original",
        "/ best",
        "/ limit",
    ):
        table.add_column(name, justify="right")
    for each in cells:
        table.add_row(
            str(each.size),
            str(each.batch_size),
            f"{each.original:,.0f}",
            f"{each.original_at_best:,.0f} ({each.best_workers})",
            f"{each.ours:,.0f}",
            f"{each.limit:,.0f}",
            f"{each.ours / each.original:.2f}",
            f"{each.ours / each.original_at_best:.2f}",
            f"{each.ours / each.limit:.2f}",
        )
    return table


def latencies_table(latencies: list[Latency]) -> Table:
    table = Table(title="A warm worker, seconds (medians)")
    for name in ("px", "batch", "submission to first loss", "stop request to stopped"):
        table.add_column(name, justify="right")
    for each in latencies:
        table.add_row(str(each.size), str(each.batch_size), f"{each.first_loss:.2f}", f"{each.stopped:.2f}")
    return table


def decoding_table(found: Decoding) -> Table:
    table = Table(title="Decoding to 128 px, images per second (medians)")
    for name in ("into the cache", "one after another", "ratio"):
        table.add_column(name, justify="right")
    table.add_row(f"{found.cache:,.0f}", f"{found.sequential:,.0f}", f"{found.cache / found.sequential:.2f}")
    return table
