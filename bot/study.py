"""What the bot does about the study: one method for everything that a listener, the clock or a worker reports.

A method asks ``storage`` for the transition, and then sees to what follows from it: the messages, the alarms, the
workers. Whether something may happen is never decided here.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.admin import posts as admin
from bot.clock import Alarm, Clock
from bot.jobs import Jobs, Progress
from bot.live import LiveFeed
from bot.pacing import Priority
from bot.participant.conversation import Conversation
from bot.participant.form import Entered
from bot.participant.views import thread, welcome
from bot.settings import Settings
from bot.slack import Slack
from bot.trouble import Errands, Trouble
from storage import choices, evaluations, history, line, participants, posts, recovery, sessions, studies, trials
from storage.database import Store
from storage.jobs import Job
from storage.refusal import Reason, Refused
from storage.states import Chooser, JobKind, ParticipantState, SessionState, TrialState
from storage.tables import Participant, Session, Trial
from training.hyperparameters import Configuration
from training.tasks import TaskFacts

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0


class Study:
    """The study as it runs.

    Args:
        settings: Its rules.
        facts: What participants may know of the task.
        store: What happened.
        slack: The workspace.
        trouble: Is told what breaks.
        errands: Does what may wait until a listener has acknowledged.
        now: The time, aware.

    Attributes:
        feed, jobs, clock: Set by :mod:`bot.app` before :meth:`start`; they call back into this object.
    """

    feed: LiveFeed
    jobs: Jobs
    clock: Clock

    def __init__(
        self,
        settings: Settings,
        facts: TaskFacts,
        store: Store,
        slack: Slack,
        trouble: Trouble,
        errands: Errands,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self.facts = facts
        self.store = store
        self.slack = slack
        self.trouble = trouble
        self.errands = errands
        self.now = now
        self.conversation = Conversation(settings, facts, store, slack, self.progress)
        self._grace = timedelta(minutes=settings.time.grace_minutes)
        self._warnings = [timedelta(minutes=minutes) for minutes in settings.time.warnings_minutes]

    # Start and stop

    def start(self) -> None:
        """Open the study if it is new, set right what a stop left behind, and begin to work.

        Raises:
            Refused: The rules are not those that the study was opened with.
        """
        settings = self.settings
        studies.open_study(
            self.store,
            name=settings.study.name,
            rules_toml=settings.rules(),
            rules_hash=settings.rules_hash(),
            now=self.now(),
        )
        reconciled = recovery.reconcile(self.store, now=self.now())
        self.clock.start()
        self.clock.every(HEARTBEAT_SECONDS, self._beat)
        self.feed.start()
        for session in sessions.unfinished_sessions(self.store):
            self._set_alarms(session)
        self.jobs.start()
        for given in reconciled.given_back:
            self._tell_given_back(given.session, given.participant, given.duration)
        for trial in (*reconciled.trials, *reconciled.cancelled):
            self.errands.run("posting a trial", partial(self._post_trial, trial))
        self._call_next()

    def close(self) -> None:
        """Stop in order: what was running runs again at the next start."""
        self.clock.close()
        self.jobs.close()
        self.errands.close()
        self.feed.close(flush=3)
        recovery.heartbeat(self.store, now=self.now())

    def _beat(self) -> None:
        recovery.heartbeat(self.store, now=self.now())

    # The way in

    def person(self, user: str) -> Participant | None:
        """The participant that a Slack user is; none for anybody else."""
        return participants.by_slack_user(self.store, user)

    def meet(self, user: str, channel: str) -> None:
        """Greet somebody who is here for the first time.

        Raises:
            Refused: No study takes newcomers now.
        """
        if self.person(user) is None:
            participants.invite(self.store, slack_user=user, slack_channel=channel, now=self.now())
            self.slack.post(channel, welcome.greeting(self.settings.consent_text))

    def agree(self, user: str, ts: str) -> None:
        """The participant consents, under the message with this ts.

        Raises:
            Refused: They have, or are not taking part.
        """
        participant = self._known(user)
        participants.consent(self.store, participant.id, consent_hash=self.settings.consent_hash(), now=self.now())
        channel = self.conversation.channel(participant.id)
        self.slack.update(channel, ts, welcome.consented(self.settings.consent_text))
        self.slack.post(channel, welcome.ask_background())

    def describe(self, user: str, background: welcome.Background) -> None:
        """The participant tells their experience.

        Raises:
            Refused: They have already, or have not consented.
        """
        participant = self._known(user)
        participants.describe(
            self.store,
            participant.id,
            months=background.months,
            education=background.education,
            answers=background.answers,
            now=self.now(),
        )
        self.errands.run("posting the task", partial(self.conversation.brief, participant.id))

    # The session

    def begin(self, user: str) -> Session | None:
        """Start the participant's clock. Returns none when they have to wait in line, and are told so.

        Raises:
            Refused: Anything but a missing seat is in the way.
        """
        participant = self._known(user)
        try:
            session = sessions.begin(
                self.store,
                participant.id,
                task=self.settings.study.task,
                limit=timedelta(minutes=self.settings.time.limit_minutes),
                seats=self.settings.machine.slots,
                seed=self.settings.training.seed,
                now=self.now(),
            )
        except Refused as refused:
            if refused.reason is not Reason.NO_SEAT:
                raise
            place = line.line_up(self.store, participant.id, now=self.now())
            self.errands.run("posting a place in line", partial(self.conversation.wait_in_line, participant.id, place))
            return None
        self.errands.run("posting a session", partial(self.conversation.post_session, session.id))
        self._set_alarms(session)
        return session

    def submit(self, user: str, session_id: int, entered: Entered) -> Trial:
        """Put a configuration in line to be trained.

        Raises:
            Refused: It is somebody else's session, or the rules say no.
        """
        session = self.own_session(user, session_id)
        trial = trials.submit(
            self.store, session.id, configuration=entered.configuration, comments=entered.remarks, now=self.now()
        )
        self.jobs.look()
        self.errands.run("posting a trial", partial(self._post_trial, trial))
        self.feed.touch(session.subject, Priority.RESULT)
        return trial

    def cancel(self, user: str, trial_id: int) -> Trial:
        """Cancel a trial that waits or runs.

        Raises:
            Refused: It is somebody else's, has ended, or is being stopped already.
        """
        trial = self.own_trial(user, trial_id)
        trial = trials.cancel(self.store, trial.id, now=self.now())
        self._after_stop(trial)
        return trial

    def choose(self, user: str, session_id: int, choice: int | Configuration) -> choices.Chosen:
        """End a session with the participant's final choice: the number of a trial, or values.

        Raises:
            Refused: It is somebody else's session, is over, or that trial cannot be chosen.
            InvalidConfiguration: The values cannot be trained.
        """
        session = self.own_session(user, session_id)
        chosen = choices.choose(
            self.store,
            session.id,
            choice=choice,
            seeds=self.settings.training.evaluation_seeds,
            training_images=self.facts.training_images,
            now=self.now(),
        )
        self._after_choice(chosen)
        return chosen

    def may_describe(self, user: str) -> None:
        """Check that the participant can give their experience now.

        Raises:
            Refused: They have not consented, or have given it.
        """
        state = self._known(user).state
        if state is ParticipantState.INVITED:
            raise Refused(Reason.NOT_CONSENTED, "Please read the text above and press *I agree* first.")
        if state is ParticipantState.DESCRIBED:
            raise Refused(Reason.LOCKED, "You have answered these questions already, and they can be answered once.")

    def may_submit(self, session: Session) -> None:
        """Check that a form for a new configuration is worth opening.

        Raises:
            Refused: The session is over, or its time is up.
        """
        if session.state is SessionState.FINISHED:
            raise Refused(Reason.SESSION_OVER, "This session is over. Its trials are kept; thank you for taking part!")
        if session.state is SessionState.CHOOSING:
            raise Refused(Reason.TIME_IS_UP, "Your time is up. Press *Choose* to name your final configuration.")

    def may_choose(self, session: Session) -> None:
        """Check that the form for the final choice is worth opening.

        Raises:
            Refused: The session is over.
        """
        if session.state is SessionState.FINISHED:
            raise Refused(Reason.SESSION_OVER, "This session is over, and its final choice is recorded. Thank you!")

    def own_session(self, user: str, session_id: int) -> Session:
        """A session, if it is this user's.

        Raises:
            Refused: It is not, or there is none.
        """
        session = sessions.get(self.store, session_id)
        participant = self.person(user)
        if participant is None or participant.id != session.participant_id:
            raise Refused(Reason.UNKNOWN, "This belongs to somebody else's session, so nothing was changed.")
        return session

    def own_trial(self, user: str, trial_id: int) -> Trial:
        """A trial, if it is this user's.

        Raises:
            Refused: It is not, or there is none.
        """
        trial = trials.get(self.store, trial_id)
        self.own_session(user, trial.session_id)
        return trial

    def view(self, session_id: int) -> history.SessionView:
        """A session with its trials, as it is now."""
        return history.session_view(self.store, session_id)

    # The clock

    def ring(self, session_id: int, alarm: Alarm) -> None:
        """An alarm of a session: look what is due, and do it."""
        try:
            session = sessions.get(self.store, session_id)
            if alarm is Alarm.WARNING:
                self._warn(session)
            elif session.state is SessionState.ACTIVE:
                self._expire(session)
            elif session.state is SessionState.CHOOSING:
                self._choose_by_clock(session)
        except Exception as error:  # noqa: BLE001 - the scheduler would only log it
            self.trouble.report(error, "an alarm of a session")

    def _warn(self, session: Session) -> None:
        left = session.deadline - self.now()
        if session.state is SessionState.ACTIVE and left > timedelta(0):
            nearest = min(self._warnings, key=lambda warning: abs(warning - left))
            minutes = nearest.total_seconds() / 60
            self.conversation.say(session.participant_id, thread.warning(minutes, session.deadline, session.id))

    def _expire(self, session: Session) -> None:
        try:
            expired = sessions.expire(self.store, session.id, grace=self._grace, now=self.now())
        except Refused as refused:
            if refused.reason is Reason.NOT_YET:  # time was given back meanwhile
                self._set_alarms(session)
            return
        ended = expired.session
        self._set_alarms(ended)
        stopped = expired.cancelled or expired.stopping
        if stopped is not None:
            self._after_stop(stopped)
        self._refresh(ended.id)
        message = thread.time_is_up(
            ended.grace_ends_at or ended.deadline, ended.id, stopped.number if stopped else None
        )
        self.conversation.say(ended.participant_id, message)
        self._call_next()

    def _choose_by_clock(self, session: Session) -> None:
        try:
            chosen = choices.choose_by_clock(
                self.store, session.id, seeds=self.settings.training.evaluation_seeds, now=self.now()
            )
        except Refused as refused:
            if refused.reason is Reason.NOT_YET:
                self._set_alarms(session)
            return
        self._after_choice(chosen)

    def _set_alarms(self, session: Session) -> None:
        if session.state is SessionState.ACTIVE:
            self.clock.set_alarms(session.id, session.deadline, self._warnings, self.now())
        elif session.grace_ends_at is not None:
            self.clock.set_grace(session.id, session.grace_ends_at)

    # What workers report; none of it may wait

    def job_moved(self, job: Job) -> None:
        """A job started or made progress."""
        if job.kind is JobKind.TRIAL:
            self.feed.touch(job.key, Priority.FRAME)

    def job_ended(self, job: Job) -> None:
        """A job is finished, whatever it ended as."""
        if job.kind is JobKind.TRIAL:
            self.feed.touch(job.key, Priority.RESULT)
            self.feed.touch(f"session:{job.session_id}", Priority.RESULT)
        else:
            self.errands.run("reporting a participant", partial(self._report_finished, job.session_id))

    def job_lost(self, job: Job) -> None:
        """A job's worker was lost; the job runs again, and its time is given back."""
        self.errands.run("reporting a lost worker", partial(self._report_lost, job))

    def job_failed(self, job: Job, detail: str) -> None:
        """A job ended with an error."""
        log.error("%s failed: %s", job.key, detail)
        text = f"⚠️ {job.key} of {job.participant} failed: {detail.strip().splitlines()[-1][:300]}"
        self.errands.run("reporting a failed trial", partial(self.trouble.tell_admins, text))

    def loop_failed(self, error: Exception) -> None:
        """The loop that carries messages between workers and storage met an error."""
        self.errands.run("reporting an error", partial(self.trouble.report, error, "talking to the workers"))

    # What follows

    def _known(self, user: str) -> Participant:
        participant = self.person(user)
        if participant is None:
            raise Refused(Reason.UNKNOWN, "I do not know you yet. Write me a message, and I will show you the study.")
        return participant

    def _post_trial(self, trial: Trial) -> None:
        self.conversation.post_trial(trial)
        self.feed.touch(trial.subject, Priority.RESULT)  # it may have moved on while it was posted

    def _after_stop(self, trial: Trial) -> None:
        if trial.state is TrialState.RUNNING:
            self.jobs.stop(trial.subject)
        self.feed.touch(trial.subject, Priority.RESULT)
        self.feed.touch(f"session:{trial.session_id}", Priority.RESULT)

    def _after_choice(self, chosen: choices.Chosen) -> None:
        session = chosen.session
        self.clock.clear_alarms(session.id)
        stopped = chosen.cancelled or chosen.stopping
        if stopped is not None:
            self._after_stop(stopped)
        self.jobs.look()
        self._refresh(session.id)
        by_clock = chosen.choice is not None and chosen.choice.chosen_by is Chooser.CLOCK
        summary = chosen.choice.configuration.summary() if chosen.choice is not None else None
        self.errands.run(
            "thanking a participant",
            partial(self.conversation.say, session.participant_id, thread.thanks(by_clock, summary)),
        )
        self._call_next()

    def _refresh(self, session_id: int) -> None:
        """Redraw the root message, and every trial's: their buttons depend on the session."""
        self.feed.touch(f"session:{session_id}", Priority.RESULT)
        for trial in self.view(session_id).trials:
            self.feed.touch(f"trial:{trial.id}", Priority.FRAME)

    def _call_next(self) -> None:
        self.errands.run("calling the next in line", self._call)

    def _call(self) -> None:
        while (called := line.next_in_line(self.store, seats=self.settings.machine.slots, now=self.now())) is not None:
            try:
                line.mark_called(self.store, called.id, now=self.now())
            except Refused:  # another thread did
                continue
            self.conversation.say(called.id, welcome.called())

    def _tell_given_back(self, session: Session, code: str, duration: timedelta) -> None:
        message = thread.time_given_back(duration.total_seconds(), session.grace_ends_at or session.deadline)
        self.errands.run("telling of time given back", partial(self.conversation.say, session.participant_id, message))
        text = f"⏱ {code} was given back {duration.total_seconds():.0f} s that we were down."
        self.errands.run("reporting time given back", partial(self.trouble.tell_admins, text))

    def _report_lost(self, job: Job) -> None:
        self.trouble.tell_admins(f"⚠️ The worker in slot {job.slot} was lost with {job.key} of {job.participant}.")
        if job.kind is JobKind.TRIAL:
            session = sessions.get(self.store, job.session_id)
            self._set_alarms(session)
            self.feed.touch(job.key, Priority.RESULT)
            self.feed.touch(session.subject, Priority.RESULT)

    def _report_finished(self, session_id: int) -> None:
        """Post a participant's results once all evaluations are done; only one thread gets to do it."""
        choice = evaluations.final_choice_of(self.store, session_id)
        if choice is None:
            return
        summary = evaluations.evaluation_summary(self.store, choice.id)
        channel = self.settings.slack.report_channel
        subject = f"report:{session_id}"
        if not channel or not summary.all_done or not posts.claim(self.store, subject):
            return
        view = self.view(session_id)
        months = participants.get(self.store, view.participant_id).months or 0.0
        message = admin.participant_finished(view, summary, self.settings.groups.group(months))
        try:
            posts.remember(self.store, subject, ts=self.slack.post(channel, message))
        except Exception:
            posts.forget(self.store, subject)  # so that the next start tries again
            raise

    def progress(self, key: str) -> Progress | None:
        """How far a running job has come."""
        return self.jobs.progress(key)
