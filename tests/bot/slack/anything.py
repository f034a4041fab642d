"""Strategies for everything that the bot may have to show, up to its greatest length."""

import math
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from slack_sdk.models.blocks import ImageBlock
from slack_sdk.models.blocks.basic_components import SlackFile

from bot.admin.alert_kinds import AlertKind, error_while
from bot.live.line_chart import as_chart_blocks, as_text_block
from bot.participant.parse_configuration import LONGEST_LINE
from bot.researcher.views import people
from bot.settings.settings import Question
from bot.study.participant_status import ParticipantStatus
from reports.figures.loss_plot import loss_curves
from storage.queries.baseline_status import BaselineStatus
from storage.queries.history import ChoiceView, SessionView, TrialView
from storage.schema.comments import Comment, Remark
from storage.schema.states import Chooser, ParticipantState, Searcher, SessionState, StudyState, TrialState
from storage.schema.tables import Alert, Participant
from storage.transitions.evaluations import EvaluationSummary
from training.bounds import Bounds
from training.hyperparameters import HYPERPARAMETERS, Configuration, Optimizer
from training.numbers import LARGEST_COUNT, is_single
from training.tasks import TaskFacts

LARGEST = 3.4e38
"""About the largest number of single precision."""

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)

any_text = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["&" * 300, "<" * 300, "🧠" * 300, "a" * 300, "x\n" * 150, " ", "`*_~", "word " * 60]),
)


def reals(interval):
    """Numbers with as many digits as a number can have."""
    low, high = max(interval.low, -LARGEST), min(interval.high, LARGEST)
    return st.floats(
        low, high, exclude_min=interval.low_open, exclude_max=interval.high_open, allow_subnormal=False
    ).filter(is_single)


@st.composite
def configurations(draw):
    values = {}
    for each in HYPERPARAMETERS:
        if each.choices:
            values[each.name] = draw(st.sampled_from(each.choices))
        elif each.kind == "integer":
            low, high = 1, LARGEST_COUNT
            values[each.name] = draw(st.sampled_from([low, high]) | st.integers(low, high))
        else:
            optimizer = Optimizer(values["optimizer"])
            values[each.name] = draw(reals(each.interval(Bounds.OPTIMIZER, optimizer)))
    return Configuration.create(values)


remarks = st.builds(lambda text: Remark(Comment.OTHER, text.strip() or "?"), any_text) | st.sampled_from(
    [Remark(each) for each in Comment if each is not Comment.OTHER]
)


@st.composite
def trial_views(draw, number=None):
    state = draw(st.sampled_from(list(TrialState)))
    names = draw(st.lists(st.sampled_from([each.name for each in HYPERPARAMETERS]), unique=True, max_size=15))
    finished = state.is_finished
    return TrialView(
        id=draw(st.integers(1, 10**9)),
        session_id=10**9,
        number=number or draw(st.integers(1, 10**6)),
        configuration=draw(configurations()),
        comments={name: draw(remarks) for name in names},
        state=state,
        validation_accuracy=draw(st.floats(0, 100)) if state is TrialState.COMPLETE else None,
        submitted_at=NOW,
        started_at=NOW if state is not TrialState.WAITING else None,
        ended_at=NOW if finished else None,
        cancel_requested_at=NOW if draw(st.booleans()) else None,
        reason=draw(st.none() | st.sampled_from(["r" * 5000, "&" * 5000])) if state is TrialState.FAILED else None,
        attempts=3,
        seconds=draw(st.floats(0, 1e6)) if finished else None,
        images_per_second=1.0,
        epoch_losses=(math.nan, 1.0),
    )


@st.composite
def session_views(draw):
    count = draw(st.sampled_from([0, 1, 3, 300]))
    kinds = draw(st.lists(trial_views(), min_size=1, max_size=4))
    trials = []
    for number in range(1, count + 1):
        like = kinds[number % len(kinds)]
        if number < count and not like.state.is_finished:
            like = next((each for each in kinds if each.state.is_finished), None)
        if like is not None:
            trials.append(TrialView(**{**vars(like), "number": number, "id": 10**9 + number}))
    state = draw(st.sampled_from(list(SessionState)))
    chosen = state is SessionState.FINISHED and draw(st.booleans())
    return SessionView(
        id=10**9,
        participant_id=10**9,
        participant="P12345",
        task="-",
        seed=10,
        state=state,
        started_at=NOW - timedelta(hours=3),
        deadline=NOW,
        grace_ends_at=NOW if state is SessionState.CHOOSING else None,
        finished_at=NOW if state is SessionState.FINISHED else None,
        given_back=timedelta(0),
        trials=tuple(trials),
        choice=ChoiceView(1, draw(configurations()), draw(st.none() | st.integers(1, 300)), Chooser.CLOCK, NOW)
        if chosen
        else None,
    )


@st.composite
def statuses(draw):
    session = draw(st.none() | session_views())
    known = session is not None or draw(st.booleans())
    state = ParticipantState.DESCRIBED if session else draw(st.sampled_from(list(ParticipantState)))
    return ParticipantStatus(
        study=draw(st.sampled_from(list(StudyState))),
        participant=10**9 if known else None,
        state=state if known else None,
        position=draw(st.none() | st.integers(1, 10**6)),
        called=draw(st.booleans()),
        session=session,
    )


@st.composite
def curves(draw):
    losses = draw(st.lists(st.floats(width=32) | st.floats(1e-3, 10), min_size=1, max_size=40))
    epochs = draw(st.lists(st.floats(1e-3, 10), max_size=1000))
    return loss_curves(losses, epochs, epoch=len(epochs) + 1, epochs_planned=1000, batches_per_epoch=1437)


@st.composite
def plots(draw):
    shown = draw(curves())
    image = ImageBlock(alt_text=shown.alt_text, slack_file=SlackFile(id="F0123456789"), block_id="losses-F0123456789")
    return draw(st.sampled_from([(), (image,), as_chart_blocks(shown), (as_text_block(shown),)]))


facts = st.builds(TaskFacts, *[st.integers(2, 10**7)] * 5)
consents = st.sampled_from(
    ["Short.", "\n\n".join(["One paragraph. " * 20] * 100), "word " * 20_000, "x" * 100_000, "a\nb\n" * 20_000]
)
questions = st.lists(
    st.sampled_from(
        [
            Question(name="a" * 41, label="l" * 150, kind="number"),
            Question(name="b" * 41, label="&" * 150, kind="choice", choices=tuple(f"{n:075}" for n in range(100))),
            Question(name="c" * 41, label="🧠" * 150, kind="choice", choices=tuple(f"{n:075}" for n in range(10))),
        ]
    ),
    max_size=3,
    unique_by=lambda each: each.name,
)
lines = st.one_of(
    configurations().map(Configuration.summary),
    st.text(max_size=LONGEST_LINE),
    st.sampled_from(["lr &&&&& " * 200, "adam " + "nonsense<>& " * 200, "lr 1e999 batch x 7 8 9 " * 30]),
)


@st.composite
def baseline_statuses(draw):
    return BaselineStatus(
        id=1,
        code="T12-345",
        searcher=draw(st.sampled_from(list(Searcher))),
        task="t" * 60,
        wanted=10_000,
        tries=draw(st.none() | st.just(1000)),
        done=draw(st.sampled_from([0, 9999, 10_000])),
        complete=9999,
        running=draw(st.sampled_from([0, 256])),
        stopped=draw(st.booleans()),
        accuracies=tuple(draw(st.lists(st.floats(0, 100), max_size=3))),
    )


@st.composite
def any_alerts(draw):
    done = draw(st.booleans())
    kind = draw(st.sampled_from([*AlertKind, "of another version", error_while("doing what takes many words " * 9)]))
    return Alert(
        id=10**9,
        kind=kind,
        latest=draw(any_text) * draw(st.sampled_from([1, 100])),
        count=draw(st.sampled_from([1, 10**6])),
        first_at=NOW - timedelta(days=99),
        last_at=NOW,
        acknowledged_at=NOW if done else None,
        acknowledged_by="researcher-12345" if done else None,
    )


@st.composite
def known_participants(draw):
    session = draw(st.none() | session_views())
    told = draw(st.booleans())
    summary = EvaluationSummary(1, 10**4, 10**4, 10**4, 0, 0, tuple([12.345678] * 10**4), 12.345678, 1.0)
    person = Participant(
        id=1,
        study_id=1,
        code="P12345",
        state=draw(st.sampled_from(list(ParticipantState))),
        invited_at=NOW,
        months=1e300 if told else None,
        education="e" * 200 if told else None,
        answers={f"{n:041}": draw(any_text) for n in range(20)} if told else {},
        task="t" * 60,
    )
    summary_shown = summary if draw(st.booleans()) else None
    return people.ParticipantDetails(person, draw(st.booleans()), "novice", session, summary_shown)
