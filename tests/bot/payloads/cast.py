"""Everybody whom a study knows: one person for each role, each in another state."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bot.slack.mentions import SLACKBOT
from storage import alerts, researchers
from storage.queries import history
from storage.schema.states import Actor, TrialState
from storage.schema.tables import Session
from storage.transitions import jobs, sessions, studies
from tests.bot.payloads.bot_at_once import RESEARCHERS, BotAtOnce, direct_channel
from training.hyperparameters import Configuration

ROLES: Mapping[str, str] = {
    "stranger": "U000STRANGER",
    "invited": "U0000INVITED",
    "consented": "U00CONSENTED",
    "described": "U00DESCRIBED",
    "queue": "U000000QUEUE",
    "tuning": "U00000TUNING",
    "training": "U000TRAINING",
    "choosing": "U000CHOOSING",
    "finished": "U000FINISHED",
    "withdrawn": "U00WITHDRAWN",
    "admin": "U0000000ADMIN",
    "researcher": RESEARCHERS[0],
    "both": RESEARCHERS[1],
    "slackbot": SLACKBOT,
}
"""Slack users by role. ``training`` tunes while a trial runs; ``both`` is a researcher who tunes."""

SESSIONS = ("tuning", "training", "choosing", "finished", "both")
"""The roles that have a session."""

VALUES = {"epochs": 7, "batch_size": 531, "loss": "cross_entropy", "optimizer": "sgd", "learning_rate": 0.0271}
"""Of everybody's trials. No other text has these numbers."""


def assemble(at_once: BotAtOnce) -> None:
    """Bring everybody into their state, in an open study."""
    bot = at_once.bot
    now = datetime.now(UTC)
    settings = bot.settings
    studies.prepare_study(
        bot.store, name=settings.study.name, rules=settings.rules(), rules_hash=settings.rules_hash(), now=now
    )
    studies.open_study(bot.store, actor=Actor.BOT, now=now)
    for role in ("finished", "choosing", "withdrawn"):
        _tuned(at_once, role)
    finished, choosing = (ROLES[each] for each in ("finished", "choosing"))
    bot.study.choose(finished, session_of(at_once, finished).id, 1)
    evaluation = jobs.claim(bot.store, now=now, slot=0)
    assert evaluation is not None
    jobs.finish(bot.store, evaluation, jobs.Ending(TrialState.FAILED, reason="No.", seconds=1.0), now=now)
    session = session_of(at_once, choosing)
    with bot.store.write() as transaction:
        transaction.need(Session, session.id).deadline = now
    sessions.expire(bot.store, session.id, grace=timedelta(days=1), now=now)
    bot.study.withdraw(ROLES["withdrawn"])
    _tuned(at_once, "tuning")
    _tuned(at_once, "both")
    _tuned(at_once, "training")
    bot.study.submit(ROLES["training"], session_of(at_once, ROLES["training"]).id, Configuration.create(VALUES), {})
    assert jobs.claim(bot.store, now=now, slot=0) is not None
    for role in ("invited", "consented", "described", "queue"):
        _meet(at_once, role)
        if role != "invited":
            bot.study.agree(ROLES[role])
        if role in ("described", "queue"):
            _describe(at_once, role)
    assert bot.study.begin(ROLES["queue"]) is None
    alerts.raise_alert(bot.store, kind="error", text="Something broke.", now=now)
    for role, kind in (("researcher", Actor.RESEARCHER), ("both", Actor.RESEARCHER), ("admin", Actor.ADMIN)):
        researchers.actor_of(bot.store, ROLES[role], kind)  # everybody has a name in the log already


def session_of(at_once: BotAtOnce, user: str) -> history.SessionView:
    """The session of a participant."""
    participant = at_once.bot.study.person(user)
    assert participant is not None
    view = history.session_of_participant(at_once.bot.store, participant.id)
    assert view is not None
    return view


def _meet(at_once: BotAtOnce, role: str) -> None:
    at_once.bot.study.meet(ROLES[role], direct_channel(ROLES[role]))


def _describe(at_once: BotAtOnce, role: str) -> None:
    at_once.bot.study.describe(ROLES[role], months=6, education="doctorate", answers={})


def _tuned(at_once: BotAtOnce, role: str) -> None:
    """Somebody who has started, and has a complete trial."""
    bot, user, now = at_once.bot, ROLES[role], datetime.now(UTC)
    _meet(at_once, role)
    bot.study.agree(user)
    _describe(at_once, role)
    assert bot.study.begin(user) is not None, role
    bot.study.submit(user, session_of(at_once, user).id, Configuration.create(VALUES), {})
    job = jobs.claim(bot.store, now=now, slot=0)
    assert job is not None
    jobs.finish(bot.store, job, jobs.Ending(TrialState.COMPLETE, accuracy=50.0, reason=None, seconds=1.0), now=now)
