"""What people and programs do to the study: one method for everything that a listener asks for.

A method asks ``storage`` for the transition, and then sees to what follows from it. Whether something may happen is
never decided here.
"""

from datetime import timedelta
from functools import partial

from bot.participant.form_state import Entered
from bot.participant.home_tab import Homes
from bot.participant.views import onboarding, session_thread
from bot.runner.baselines import Baselines
from bot.study.job_events import Tidings
from bot.study.participant_status import Standing, standing_of
from bot.study.parts import Parts
from bot.study.reactions import FollowUps
from bot.study.researcher_actions import Research
from bot.study.sweep import Deadlines
from bot.study.withdrawal import Leaving
from storage import posts
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.states import Actor, ParticipantState, SessionState, StudyState
from storage.schema.tables import Participant, Session, Trial
from storage.transitions import choices, participants, queue, recovery, sessions, studies, trials
from training.hyperparameters import Configuration
from training.tasks import TaskFacts

HEARTBEAT_SECONDS = 5.0


class Study:
    """The study as it runs.

    Args:
        parts: What it is made of.

    Attributes:
        deadlines: What is due when an alarm rings.
        baselines: What searchers do.
        tidings: What workers report.
        leaving: How participants leave.
        research: What researchers do.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.settings, self.store = parts.settings, parts.store
        self.slack, self.trouble, self.errands = parts.slack, parts.trouble, parts.errands
        self.conversation, self.now = parts.conversation, parts.now
        parts.homes = Homes(parts)
        self.homes = parts.homes
        self.follow_ups = FollowUps(parts)
        self.deadlines = Deadlines(parts, self.follow_ups)
        self.baselines = Baselines(parts)
        self.tidings = Tidings(parts, self.follow_ups, self.baselines)
        self.leaving = Leaving(parts, self.follow_ups)
        self.research = Research(self)

    # Start and stop

    def start(self, *, open_now: bool = False) -> None:
        """Prepare the study if it is new, set right what a stop left behind, and begin to work.

        Args:
            open_now: Whether a study that has not opened yet is opened; else a researcher does that.

        Raises:
            Refused: The rules are not those that the study was opened with.
        """
        parts = self.parts
        study = studies.prepare_study(
            self.store,
            name=self.settings.study.name,
            rules=self.settings.rules(),
            rules_hash=self.settings.rules_hash(),
            now=self.now(),
        )
        parts.admins.begin()
        if open_now and study.state is StudyState.PREPARED:
            studies.open_study(self.store, actor=Actor.BOT, now=self.now())
        reconciled = recovery.reconcile(self.store, now=self.now())
        parts.clock.start()
        parts.clock.every(HEARTBEAT_SECONDS, self._beat)
        parts.admins.tell(parts.clock)
        parts.feed.start()
        for session in sessions.unfinished_sessions(self.store):
            self.follow_ups.set_alarms(session)
        parts.jobs.start()
        self.baselines.resume()
        for given in reconciled.given_back:
            self._tell_given_back(given)
        self._catch_up(study.id)
        self.follow_ups.call_next()

    def close(self) -> None:
        """Stop in order: what was running runs again at the next start."""
        self.parts.clock.close()
        self.parts.jobs.close()
        self.research.making.close()
        self.errands.close()
        self.parts.feed.close(flush=3)
        self.parts.admins.close()
        self._beat()

    def _beat(self) -> None:
        recovery.heartbeat(self.store, now=self.now())

    def _catch_up(self, study_id: int) -> None:
        """Post what participants were not posted before we stopped, and bring up to date what was."""
        for view in history.sessions(self.store, study_id):
            if not view.state.is_finished:
                for trial in view.trials[-1:]:
                    stored = trials.get(self.store, trial.id)
                    self.errands.run("posting a trial", partial(self.follow_ups.post_trial, stored))
                self.follow_ups.refresh(view.id)
                self.homes.expect(view.participant_id)

    def _tell_given_back(self, given: recovery.GivenBack) -> None:
        session, seconds = given.session, given.duration.total_seconds()
        message = session_thread.time_given_back(seconds, self.view(session.id))
        self.errands.run("telling of time given back", partial(self.conversation.say, session.participant_id, message))

    # The way in

    def person(self, user: str) -> Participant | None:
        """The participant that a Slack user is; none for anybody else."""
        return participants.by_slack_user(self.store, user)

    def standing(self, user: str) -> Standing:
        """Where a Slack user stands, participant or not."""
        return standing_of(self.store, user)

    def come_by(self, user: str, channel: str) -> None:
        """Somebody looks at the bot: greet whoever is new, but nobody who has just left.

        Raises:
            Refused: No study takes newcomers now.
        """
        if not self.leaving.has_left(user):
            self.meet(user, channel)

    def meet(self, user: str, channel: str) -> None:
        """Greet somebody who is here for the first time, or wants to come back.

        Raises:
            Refused: No study takes newcomers now.
        """
        self.leaving.is_back(user)
        if self.standing(user).participant is not None:
            return
        newcomer = participants.invite(self.store, slack_user=user, slack_channel=channel, now=self.now())
        if posts.claim(self.store, f"greeting:{newcomer.id}"):  # of two events that tell of the same person
            self.conversation.greet(newcomer.id)

    def agree(self, user: str) -> None:
        """The participant consents.

        Raises:
            Refused: They have, or are not taking part.
        """
        participant = self._known(user)
        participants.consent(self.store, participant.id, consent_hash=self.settings.consent_hash(), now=self.now())
        self.homes.changed(participant.id)
        self.conversation.ask_background(participant.id)

    def describe(self, user: str, background: onboarding.Background) -> None:
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
            tasks=self.settings.study.task,
            group=self.settings.groups.group(background.months),
            block_seed=self.settings.study.block_seed,
            now=self.now(),
        )
        self.homes.changed(participant.id)
        self.errands.run("posting the task", partial(self.conversation.brief, participant.id))

    def withdraw(self, user: str) -> None:
        """The participant leaves the study: the link to who they are goes, and what they did if the rules say so.

        Raises:
            Refused: They are not taking part.
        """
        self.leaving.leave(self._known(user))

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
                task=participant.task or self.settings.study.task[0],
                limit=timedelta(minutes=self.settings.time.limit_minutes),
                seats=self.settings.machine.slots,
                seed=self.settings.training.seed,
                now=self.now(),
            )
        except Refused as refused:
            if refused.reason is not Reason.NO_SEAT:
                raise
            place = queue.line_up(self.store, participant.id, now=self.now())
            self.homes.changed(participant.id)
            late = participant.called_at is not None
            wait = partial(self.conversation.wait_in_line, participant.id, place, late=late)
            self.errands.run("posting a place in line", wait)
            return None
        self.errands.run("posting a session", partial(self.conversation.post_session, session.id))
        self.homes.changed(participant.id)
        self.follow_ups.set_alarms(session)
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
        self.follow_ups.submitted(trial)
        return trial

    def cancel(self, user: str, trial_id: int) -> Trial:
        """Cancel a trial that waits or runs.

        Raises:
            Refused: It is somebody else's, has ended, or is being stopped already.
        """
        trial = self.own_trial(user, trial_id)
        trial = trials.cancel(self.store, trial.id, now=self.now())
        self.follow_ups.stopped(trial)
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
            training_images=self.facts_of(session.participant_id).training_images,
            now=self.now(),
        )
        self.follow_ups.chosen(chosen)
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

    def facts_of(self, participant: int | None) -> TaskFacts:
        """What a participant may know of the task that they were assigned; of the study's first for anybody else."""
        return self.parts.facts_of(None if participant is None else participants.get(self.store, participant).task)

    def view(self, session_id: int) -> history.SessionView:
        """A session with its trials, as it is now."""
        return history.session_view(self.store, session_id)

    def _known(self, user: str) -> Participant:
        participant = self.person(user)
        if participant is None:
            raise Refused(Reason.UNKNOWN, "I do not know you yet. Write me a message, and I will show you the study.")
        return participant
