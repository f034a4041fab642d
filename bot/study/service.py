"""What participants do to the study: one method for each action.

A method makes the transition in ``storage``, and then calls :mod:`bot.study.reactions`. ``storage`` decides whether a
transition is allowed. The checks named ``may_…`` are made before a form opens, so that nobody fills in a form that
would be refused.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.settings.arms import Condition
from bot.settings.settings import Settings
from bot.study.known_tasks import KnownTasks
from bot.study.outdated import OLD_BUTTON
from bot.study.participant_status import ParticipantStatus, status_of
from bot.study.reactions import Reactions
from bot.study.withdrawal import Withdrawals
from storage.database import Store
from storage.queries import button_values, history
from storage.refusals import Reason, Refused
from storage.schema.comments import Remark
from storage.schema.states import NoticeKind, ParticipantState, SessionState, Suggestion
from storage.schema.tables import Participant, Session, Trial
from storage.transitions import choices, notices, participants, queue, sessions, trials
from training.hyperparameters import Configuration, Limits
from training.tasks import TaskFacts


class StudyService:
    """The study as participants use it. Safe from any thread.

    Args:
        settings: The study's rules.
        tasks: The study's tasks.
        store: The database.
        reactions: Reacts to transitions.
        withdrawals: Lets participants leave.
        now: The time, aware.
    """

    def __init__(
        self,
        settings: Settings,
        tasks: KnownTasks,
        store: Store,
        reactions: Reactions,
        withdrawals: Withdrawals,
        now: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self.store = store
        self.now = now
        self._tasks = tasks
        self._reactions = reactions
        self._withdrawals = withdrawals

    # The way in

    def person(self, user: str) -> Participant | None:
        """The participant with this Slack user; none if the user does not take part."""
        return participants.by_slack_user(self.store, user)

    def status(self, user: str) -> ParticipantStatus:
        """The status of a Slack user, who may be a participant or not."""
        return status_of(self.store, user)

    def awaits_greeting(self, status: ParticipantStatus) -> bool:
        """Whether somebody has this status who takes part, but to whom the greeting could not be posted yet."""
        if status.participant is None or status.state is not ParticipantState.INVITED:
            return False
        return notices.awaits(self.store, status.participant, NoticeKind.GREETING)

    def come_by(self, user: str, channel: str) -> None:
        """Greet somebody who opened the bot if they were not greeted, but not if they have left.

        Raises:
            Refused: Nobody new can join a study now.
        """
        if not self._withdrawals.has_left(user):
            self.meet(user, channel)

    def meet(self, user: str, channel: str) -> None:
        """Greet somebody who is new, who had left before they agreed, or whom the greeting could not reach.

        Raises:
            Refused: Nobody new can join a study now, or they have taken part and left.
        """
        self._withdrawals.is_back(user)
        status = self.status(user)
        if status.participant is None or self.awaits_greeting(status):
            greeted = participants.invite(self.store, slack_user=user, slack_channel=channel, now=self.now())
            self._reactions.participant_moved(greeted.id)

    def agree(self, user: str) -> None:
        """The participant consents.

        Raises:
            Refused: They have consented already, or do not take part.
        """
        participant = self._participant(user)
        participants.consent(self.store, participant.id, consent_hash=self.settings.consent_hash(), now=self.now())
        self._reactions.participant_moved(participant.id)

    def describe(self, user: str, *, months: float, education: str, answers: Mapping[str, str | float]) -> None:
        """The participant describes their experience.

        Args:
            user: The Slack user.
            months: Deep-learning experience in months.
            education: The highest education.
            answers: Extra questions' answers by question.

        Raises:
            Refused: They have described it already, or have not consented.
        """
        participant = self._participant(user)
        participants.describe(
            self.store,
            participant.id,
            months=months,
            education=education,
            answers=answers,
            tasks=self.settings.study.task,
            group=self.settings.groups.group(months),
            arms=self.settings.arm_names,
            block_seed=self.settings.study.block_seed,
            now=self.now(),
        )
        self._reactions.participant_moved(participant.id)

    def withdraw(self, user: str) -> None:
        """The participant leaves the study. Their link is deleted, and their data too if the rules say so.

        Raises:
            Refused: They do not take part.
        """
        self._withdrawals.leave(self._participant(user))

    # The session

    def begin(self, user: str) -> Session | None:
        """Start the participant's session. Returns none when no seat is free: then they are in the queue, and told so.

        Raises:
            Refused: The session cannot start for another reason than a missing seat.
        """
        participant = self._participant(user)
        try:
            session = sessions.begin(
                self.store,
                participant.id,
                task=participant.task or self.settings.study.task[0],
                limit=timedelta(minutes=self.settings.condition(participant.arm).limit_minutes),
                seats=self.settings.machine.slots,
                seed=self.settings.training.seed,
                now=self.now(),
            )
        except Refused as refused:
            if refused.reason is not Reason.NO_SEAT:
                raise
            queue.join(self.store, participant.id, now=self.now())
            self._reactions.participant_moved(participant.id)
            return None
        self._reactions.session_begun(session)
        return session

    def submit(
        self,
        user: str,
        session_id: int,
        configuration: Configuration,
        remarks: Mapping[str, Remark],
        form: str = "",
        suggestion: Suggestion | None = None,
    ) -> Trial:
        """Put a configuration in the queue to be trained.

        Args:
            user: The Slack user.
            session_id: The user's session.
            configuration: The configuration that they entered.
            remarks: Why they chose the values, by hyperparameter.
            form: The form that they sent. Sent again with the same values, it is the same trial.
            suggestion: What became of the values that the form suggested; none if it suggested none.

        Raises:
            Refused: It is somebody else's session, or nothing can be submitted now.
        """
        session = self.own_session(user, session_id)
        trial = trials.submit(
            self.store,
            session.id,
            configuration=configuration,
            comments=remarks,
            now=self.now(),
            form=form,
            suggestion=suggestion,
        )
        self._reactions.submitted(trial)
        return trial

    def cancel(self, user: str, trial_id: int) -> Trial:
        """Cancel a trial that waits or runs.

        Raises:
            Refused: It is somebody else's trial, it has ended, or it is being cancelled already.
        """
        trial = self.own_trial(user, trial_id)
        trial = trials.cancel(self.store, trial.id, now=self.now())
        self._reactions.trial_stopped(trial)
        return trial

    def show_plot(self, user: str, trial_id: int) -> None:
        """Post the losses of a trial that runs as a picture, soon.

        Raises:
            Refused: It is somebody else's trial, or it has ended.
        """
        trial = self.own_trial(user, trial_id)
        if trial.state.is_finished:
            raise Refused(
                Reason.TRIAL_FINISHED, f"Trial {trial.number} has ended. The picture of its losses is in its result."
            )
        self._reactions.show_plot(trial.id)

    def choose(self, user: str, session_id: int, choice: int | Configuration) -> choices.Chosen:
        """End a session with the participant's final choice: the number of a trial, or values.

        Raises:
            Refused: It is somebody else's session, it is over, or that trial cannot be chosen.
            InvalidConfiguration: The values cannot be trained.
        """
        session = self.own_session(user, session_id)
        limits = self.limits_of(session.participant_id)
        chosen = choices.choose(
            self.store,
            session.id,
            choice=choice,
            seeds=self.settings.training.evaluation_seeds,
            training_images=limits.training_images,
            largest_batch=limits.largest_batch,
            most_steps=limits.most_steps,
            bounds=limits.bounds,
            now=self.now(),
        )
        self._reactions.session_changed(chosen.session, chosen.stopped)
        return chosen

    def may_describe(self, user: str) -> None:
        """Check that the participant can describe their experience now.

        Raises:
            Refused: They have not consented, or have described it already.
        """
        state = self._participant(user).state
        if state is ParticipantState.INVITED:
            raise Refused(Reason.NOT_CONSENTED, "Please read the text above and press *I agree* first.")
        if state is ParticipantState.DESCRIBED:
            raise Refused(Reason.LOCKED, "You have answered these questions already. You can answer them only once.")

    def may_submit(self, session: Session) -> None:
        """Check that a form for a new configuration is worth opening.

        Raises:
            Refused: The session is over, or its time is up.
        """
        if session.state is SessionState.FINISHED:
            raise Refused(Reason.SESSION_OVER, "This session is over. Its trials are kept. Thank you!")
        if session.state is SessionState.CHOOSING:
            raise Refused(Reason.TIME_IS_UP, "Your time is up. Press *Choose* to choose your final configuration.")

    def may_choose(self, session: Session) -> None:
        """Check that the form for the final choice is worth opening.

        Raises:
            Refused: The session is over.
        """
        if session.state is SessionState.FINISHED:
            raise Refused(Reason.SESSION_OVER, "This session is over, so you cannot choose any more. Thank you!")

    def own_session(self, user: str, session_id: int) -> Session:
        """The session with this id, if it is the user's own.

        Raises:
            Refused: It is somebody else's session, or there is no such session.
        """
        session = sessions.get(self.store, session_id)
        participant = self.person(user)
        if participant is None or participant.id != session.participant_id:
            raise Refused(Reason.UNKNOWN, "This belongs to somebody else's session, so nothing was changed.")
        return session

    def own_trial(self, user: str, trial_id: int) -> Trial:
        """The trial with this id, if it is the user's own.

        Raises:
            Refused: It is somebody else's trial, or there is no such trial.
        """
        trial = trials.get(self.store, trial_id)
        self.own_session(user, trial.session_id)
        return trial

    def session_of_button(self, user: str, value: str) -> Session:
        """The session that a button is about, if it is the user's own.

        Args:
            user: The Slack user.
            value: What the button carries.

        Raises:
            Refused: It is about no session of the user, such as a button from before the study was closed.
        """
        participant = self.person(user)
        session = None if participant is None else button_values.find_session(self.store, participant.id, value)
        if session is None:
            raise Refused(Reason.UNKNOWN, OLD_BUTTON)
        return session

    def trial_of_button(self, user: str, value: str) -> Trial:
        """The trial that a button is about, if it is the user's own.

        Args:
            user, value: As for :meth:`session_of_button`.

        Raises:
            Refused: It is about no trial of the user.
        """
        participant = self.person(user)
        trial = None if participant is None else button_values.find_trial(self.store, participant.id, value)
        if trial is None:
            raise Refused(Reason.UNKNOWN, OLD_BUTTON)
        return trial

    def facts_of(self, participant: int | None) -> TaskFacts:
        """What a participant may know of their task; of the study's first task for somebody without one."""
        return self._tasks.facts(None if participant is None else participants.get(self.store, participant).task)

    def condition_of(self, participant: int | None) -> Condition:
        """What holds for a participant: the rules of their arm; the study's for somebody without one."""
        arm = None if participant is None else participants.get(self.store, participant).arm
        return self.settings.condition(arm)

    def limits_of(self, participant: int) -> Limits:
        """What bounds a participant's configurations besides the ranges of the hyperparameters."""
        task = participants.get(self.store, participant).task
        images = self._tasks.facts(task).training_images
        form = self.settings.form
        return Limits(images, self._tasks.largest_batch(task), form.most_steps, form.bounds)

    def view(self, session_id: int) -> history.SessionView:
        """A session with its trials, as it is now."""
        return history.session_view(self.store, session_id)

    def _participant(self, user: str) -> Participant:
        participant = self.person(user)
        if participant is None and self.status(user).has_left:
            raise Refused(Reason.LEFT_BEFORE, "You are not in the study any more, so nothing was changed.")
        if participant is None:
            raise Refused(Reason.UNKNOWN, "I do not know you yet. Write me a message, and I will show you the study.")
        return participant
