"""``python -m tests.benchmarks.live_feed``: how well the live feed uses what Slack allows, with 20 trials at once.

The feed works in the local workspace with Slack's real limits, first with Slack's charts, then with pictures that
updates bring. The trials' losses are made up, so nothing competes with it for the CPU. Drawing a picture is measured
beside the naive way, in turn. The result is a table, and a file of JSON.
"""

import argparse
import json
import math
import os
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from slack_sdk.models.blocks import Block, MarkdownTextObject, SectionBlock
from slack_sdk.web import SlackResponse

from bot.live.feed import Address, Counters, LiveFeed, Priority, Rendering
from bot.live.forms import LivePlots
from bot.live.plots import Plots
from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.state.journal import Traffic
from bot.sandbox.validation.strictness import SLACK_LIMITS as ENFORCED
from bot.sandbox.validation.strictness import Rules
from bot.slack.block_kit import Message
from bot.slack.client import PacedClient
from bot.slack.rate_limiter import SLACK_LIMITS, RateLimiter
from reports.figures.loss_plot import HEIGHT, WIDTH, LossCurves, draw, loss_curves

BATCHES, EPOCHS = 45, 20
FORMS: Sequence[Literal["chart", "picture"]] = ("chart", "picture")
"""The forms of running trials' losses that are measured, one after the other."""

TOUCHES_PER_SECOND = 4.0
"""Of a running trial: how often the bot's workers report losses."""


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        trials: How many run at once, each in a thread of its own.
        window: Seconds of Slack's minute.
        warm_up, seconds: Before the measurement, and of the measurement itself.
        rounds: Of drawing; medians are shown.
        pictures: Drawn in a round, each way.
    """

    trials: int
    window: float
    warm_up: float
    seconds: float
    rounds: int
    pictures: int


FULL = Plan(trials=20, window=60.0, warm_up=15.0, seconds=120.0, rounds=5, pictures=20)
QUICK = Plan(trials=5, window=4.0, warm_up=2.0, seconds=6.0, rounds=1, pictures=2)


@dataclass(frozen=True)
class Feed:
    """What reached the workspace.

    Attributes:
        allowed, updates: Calls of ``chat.update`` that Slack allows in the time, and those made.
        share: ``updates`` of ``allowed``.
        refused: Calls of any method that were answered with HTTP 429.
        fewest_frames, most_frames: Frames with new losses in the slowest and in the fastest thread.
        fairness: The former by the latter.
        results: Trials that ended in the time.
        result_delay, longest_result_delay: Seconds from a trial's end to the message that says so; median and longest.
        cpu_seconds: CPU time of the whole process, workspace included, per second.
        cpu_ms_per_frame: The same for each update that was sent, in milliseconds.
        counters: What the feed counted.
    """

    allowed: float
    updates: int
    share: float
    refused: int
    fewest_frames: int
    most_frames: int
    fairness: float
    results: int
    result_delay: float
    longest_result_delay: float
    cpu_seconds: float
    cpu_ms_per_frame: float
    counters: Counters


@dataclass(frozen=True)
class Drawing:
    """CPU milliseconds for a picture, medians over the rounds, and its size in bytes."""

    ours: float
    naive: float
    our_bytes: int
    naive_bytes: int


class Recorder(PacedClient):
    """A client that notes when an update was answered: the message, its text, and whether it shows losses."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.updates: list[tuple[float, str, str, bool]] = []

    def chat_update(self, **arguments: Any) -> SlackResponse:
        answer = super().chat_update(**arguments)
        plotted = any(block.type in {"image", "data_visualization"} for block in arguments["blocks"])
        self.updates.append((time.monotonic(), arguments["ts"], arguments["text"], plotted))
        return answer


class Thread:
    """One participant's thread: a trial runs, ends, and the next one begins.

    Every trial lasts as long as the measurement, and the threads' trials end one after the other, so that every
    thread has one result in it.
    """

    def __init__(self, number: int, plan: Plan, channel: str, root: str) -> None:
        self.number, self.channel, self.root = number, channel, root
        self.seconds = plan.seconds
        self.began = time.monotonic() + plan.warm_up - plan.seconds * (1 - (number + 0.5) / plan.trials)
        self.trial = 0
        self.messages: list[str] = []
        self.ended: dict[str, float] = {}

    def subject(self, trial: int) -> str:
        return f"{self.number}:{trial}"

    def is_over(self) -> bool:
        return time.monotonic() - self.began >= self.seconds

    def curves(self, trial: int) -> LossCurves:
        """The losses of a trial: the present one's grow with time."""
        done = (time.monotonic() - self.began) / self.seconds if trial == self.trial else 1.0
        batches = min(int(done * EPOCHS * BATCHES), EPOCHS * BATCHES)
        epoch = min(batches // BATCHES, EPOCHS - 1)
        noise = random.Random(self.number)
        losses = [2.3 * math.exp(-n / 300) + 0.2 * noise.random() for n in range(batches)]
        ends = [statistics.fmean(losses[n * BATCHES : (n + 1) * BATCHES]) for n in range(epoch)]
        return loss_curves(
            losses[epoch * BATCHES :], ends, epoch=epoch + 1, epochs_planned=EPOCHS, batches_per_epoch=BATCHES
        )


class Threads:
    """All threads, as the feed asks for them."""

    def __init__(self, threads: Sequence[Thread], client: PacedClient) -> None:
        self._threads = threads
        self._client = client
        self.failures: list[str] = []

    def render(self, subject: str) -> Rendering | None:
        number, trial = (int(part) for part in subject.split(":"))
        thread = self._threads[number]
        text = f"Trial {trial + 1} {'has ended' if subject in thread.ended else 'trains'}"

        def message(plot: Sequence[Block]) -> Message:
            return Message(text, (SectionBlock(text=MarkdownTextObject(text=text)), *plot))

        address = Address(thread.channel, thread.messages[trial])
        if subject in thread.ended:
            return Rendering(address, message)
        return Rendering(address, message, thread.curves(trial), file_name=f"trial-{trial + 1}.png")

    def failed(self, subject: str, error: Exception) -> None:
        self.failures.append(f"{subject}: {error}")

    def begin_trial(self, thread: Thread) -> None:
        posted = self._client.chat_postMessage(channel=thread.channel, thread_ts=thread.root, text="A trial waits")
        thread.messages.append(str(posted["ts"]))

    def run(self, feed: LiveFeed, seconds: float) -> None:
        """Let the trials run, and touch what changes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for thread in self._threads:
                if thread.is_over():
                    subject = thread.subject(thread.trial)
                    thread.trial, thread.began = thread.trial + 1, time.monotonic()
                    thread.ended[subject] = time.monotonic()
                    feed.touch(subject, Priority.RESULT)
                    self.begin_trial(thread)
                feed.touch(thread.subject(thread.trial), Priority.FRAME)
            time.sleep(1 / TOUCHES_PER_SECOND)


def measure_feed(plan: Plan, live_plots: LivePlots) -> Feed:
    """Run the trials and count what reaches the workspace."""
    rules = Rules(window_seconds=plan.window, update_shows_new_files=True)
    with LocalWorkspace(rules=rules) as workspace:
        limiter = RateLimiter({method: replace(limit, seconds=plan.window) for method, limit in SLACK_LIMITS.items()})
        client = Recorder(workspace.bot_token, workspace.api_url, limiter)
        threads = []
        for number in range(plan.trials):
            channel = workspace.add_person(f"Person {number}").direct_channel
            root = str(client.chat_postMessage(channel=channel, text="A session")["ts"])
            threads.append(Thread(number, plan, channel, root))
        running = Threads(threads, client)
        for thread in threads:
            running.begin_trial(thread)
        feed = LiveFeed(client, Plots(client, running.failed, lambda: live_plots), running.render)
        feed.start()
        try:
            running.run(feed, plan.warm_up)
            began, cpu = time.monotonic(), time.process_time()
            running.run(feed, plan.seconds)
            ended, cpu = time.monotonic(), time.process_time() - cpu
        finally:
            feed.close(flush=5)
        if running.failures:
            raise RuntimeError(f"The feed failed: {running.failures}")
        return _counted(plan, threads, client, workspace.traffic(), began, ended, cpu, feed.counters)


def _counted(
    plan: Plan,
    threads: Sequence[Thread],
    client: Recorder,
    traffic: Sequence[Traffic],
    began: float,
    ended: float,
    cpu: float,
    counters: Counters,
) -> Feed:
    measured = [update for update in client.updates if began <= update[0] < ended]
    allowed = ENFORCED["chat.update"] * (ended - began) / plan.window
    frames = [sum(plotted and ts in thread.messages for _, ts, _, plotted in measured) for thread in threads]
    delays = [
        next(at for at, ts, text, _ in client.updates if ts == thread.messages[trial] and "ended" in text) - end
        for thread in threads
        for trial in range(thread.trial)
        if began <= (end := thread.ended[thread.subject(trial)]) < ended
    ]
    return Feed(
        allowed=allowed,
        updates=len(measured),
        share=len(measured) / allowed,
        refused=sum(entry.status.startswith("ratelimited") for entry in traffic),
        fewest_frames=min(frames),
        most_frames=max(frames),
        fairness=min(frames) / max(frames) if max(frames) else 0.0,
        results=len(delays),
        result_delay=statistics.median(delays) if delays else math.nan,
        longest_result_delay=max(delays, default=math.nan),
        cpu_seconds=cpu / (ended - began),
        cpu_ms_per_frame=1000 * cpu / max(len(measured), 1),
        counters=counters,
    )


def measure_drawing(plan: Plan) -> Drawing:
    """Draw the same plots in both ways, in turn."""
    cases = [
        loss_curves(
            [2.3 / (1 + 0.01 * n) for n in range(5 + 40 * number // plan.pictures)],
            [2.3 / (1 + 0.2 * n) for n in range(number)],
            epoch=number + 1,
            epochs_planned=max(EPOCHS, plan.pictures),
            batches_per_epoch=BATCHES,
        )
        for number in range(plan.pictures)
    ]
    ways: Sequence[Callable[[LossCurves], bytes]] = (draw, draw_naively)
    sizes = [len(way(cases[-1])) for way in ways]  # and caches are warm
    rounds = [[_cpu_ms(partial(way, case) for case in cases) for way in ways] for _ in range(plan.rounds)]
    ours, naive = (statistics.median(each) for each in zip(*rounds, strict=True))
    return Drawing(ours, naive, *sizes)


def draw_naively(curves: LossCurves) -> bytes:
    """The same content as most programs draw it: a new figure each time, default settings."""
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for axes, curve, label in ((left, curves.batches, "batch"), (right, curves.epochs, "epoch")):
        axes.plot(curve.places, curve.losses)
        axes.set(xlabel=label, ylabel="loss", yscale=curve.scale)
        axes.grid(visible=True)
    figure.tight_layout()
    png = BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _cpu_ms(drawings: Any) -> float:
    began, count = time.thread_time(), 0
    for drawing in drawings:
        drawing()
        count += 1
    return (time.thread_time() - began) / count * 1000


def main() -> None:
    """Measure, print and write."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.live_feed", description=__doc__)
    options.add_argument("--quick", action="store_true", help="only see whether it runs; the figures mean nothing")
    options.add_argument("--output", type=Path, default=Path("live_feed.json"), help="the file of JSON")
    given = options.parse_args()
    plan = QUICK if given.quick else FULL
    load_before = os.getloadavg()[0]
    drawing = measure_drawing(plan)
    feeds = {form: measure_feed(plan, LivePlots(form)) for form in FORMS}
    Console(width=100).print(_table(plan, feeds, drawing))
    result = {
        "plan": asdict(plan),
        "load_average": {"before": load_before, "after": os.getloadavg()[0]},
        "feed": {form: asdict(feed) for form, feed in feeds.items()},
        "drawing_cpu_ms": asdict(drawing),
    }
    given.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"Written to {given.output}; the load average was {load_before:.1f} before.")


def _table(plan: Plan, feeds: Mapping[str, Feed], drawing: Drawing) -> Table:
    table = Table(title=f"The live feed: {plan.trials} trials at once, {plan.seconds:g} s in each form")
    table.add_column("")
    for form in feeds:
        table.add_column("Slack's charts" if form == "chart" else "pictures by updates", justify="right")
    rows: dict[str, Callable[[Feed], str]] = {
        "chat.update calls": lambda feed: f"{feed.updates} of {feed.allowed:.0f} allowed",
        "share of what is allowed": lambda feed: f"{feed.share:.1%}",
        "calls refused (HTTP 429)": lambda feed: f"{feed.refused}",
        "frames, slowest / fastest thread": lambda feed: (
            f"{feed.fewest_frames} / {feed.most_frames} = {feed.fairness:.2f}"
        ),
        "results": lambda feed: f"{feed.results}",
        "delay of a result, median / longest": lambda feed: (
            f"{feed.result_delay:.2f} / {feed.longest_result_delay:.2f} s"
        ),
        "pictures uploaded / superseded and deleted": lambda feed: (
            f"{feed.counters.pictures} / {feed.counters.deletes}"
        ),
        "CPU, feed and workspace together": lambda feed: f"{feed.cpu_seconds:.0%} of a core",
        "the same for one frame": lambda feed: f"{feed.cpu_ms_per_frame:.0f} ms",
    }
    for name, value in rows.items():
        table.add_row(name, *(value(feed) for feed in feeds.values()))
    table.add_section()
    table.add_row("a picture, CPU", f"{drawing.ours:.0f} ms, {drawing.our_bytes / 1000:.0f} kB")
    table.add_row("a picture the naive way, CPU", f"{drawing.naive:.0f} ms, {drawing.naive_bytes / 1000:.0f} kB")
    return table


if __name__ == "__main__":
    main()
