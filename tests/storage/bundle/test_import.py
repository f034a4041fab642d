"""Bundles that somebody else made: the least that is needed, and everything that can be wrong with one."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from reports.data.load import load
from storage.bundle import BundleRefused, import_bundle
from storage.database import Store
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.states import Chooser, ParticipantState, SessionEnd, SessionState, StudyState, TrialState
from storage.schema.tables import Baseline, Event, FinalChoice, Participant, Session, Study, Table, Trial
from storage.transitions import evaluations, participants, studies
from tests.storage.bundle.bundles import PEOPLE, TRIALS, files, zipped
from tests.storage.bundle.wrong_bundles import WRONG
from training.hyperparameters import Optimizer


@pytest.fixture
def bring(store: Store, tmp_path: Path) -> Any:
    """Import a bundle with these files."""

    def bring(**changes: str | bytes | None) -> Any:
        return import_bundle(store, zipped(tmp_path / "their data.zip", files(**changes)))

    return bring


def all_of(store: Store, table: Any) -> list[Any]:
    with store.read() as transaction:
        return list(transaction.exec(select(table)).all())


def test_three_tables_with_the_required_columns_are_enough(bring, store):
    found = bring()
    assert found.study == "their data"
    assert dict(found.rows) == {"participants": 2, "trials": 4, "evaluations": 3}
    assert "There is no sessions.csv: everybody with trials has had one, which is finished." in found.assumed
    (study,) = all_of(store, Study)
    assert (study.state, study.opened_at, study.rules) == (StudyState.CLOSED, None, "{}")
    first, second = history.sessions(store, study.id)
    assert [each.code for each in all_of(store, Participant)] == ["P1", "P2"]
    assert {each.state for each in all_of(store, Participant)} == {ParticipantState.DESCRIBED}
    assert (first.state, first.choice.trial_number, first.choice.chosen_by) == (
        SessionState.FINISHED,
        2,
        Chooser.PARTICIPANT,
    ), "the best of their trials"
    assert {each.ended_as for each in all_of(store, Session)} == {SessionEnd.CHOSEN}
    assert [each.state for each in second.trials] == [TrialState.COMPLETE, TrialState.FAILED]
    assert second.trials[0].configuration.learning_rate == 0.001, "Table 1's default"
    assert evaluations.evaluation_summary(store, first.choice.id).accuracies == (30.0, 29.5)


def test_the_report_reads_such_a_study(bring, store):
    bring(
        participants="code,months,kind\nP1,0,\nP2,24.5,person\nR1,,random\nT1-01,,tpe\n",
        trials=TRIALS + "R1,1,1,64,nll,sgd,10\nR1,2,1,64,nll,sgd,12\nT1-01,1,1,64,nll,sgd,11\n",
    )
    data = load(store)
    assert [(each.code, each.kind, each.is_analysed) for each in data.participants] == [
        ("P1", "person", True),
        ("P2", "person", True),
        ("R1", "random", False),
        ("T1-01", "tpe", False),
    ]
    assert data.trials.drawn.sum() == 2
    assert {(each.code, each.searcher, each.wanted) for each in all_of(store, Baseline)} == {
        ("R1", "random", 2),
        ("T1", "tpe", 1),
    }


def test_rules_come_from_a_study_file_without_where_it_ran(bring, store):
    toml = (
        '[study]\nname = "Theirs"\n[time]\nlimit_minutes = 90\n[training]\nseed = 4\n'
        '[slack]\nresearchers = ["U05PLANTED1"]\n[machine]\nslots = 2\n'
        '[[questions]]\nname = "skill"\nlabel = "How?"\nkind = "choice"\nchoices = ["1", "2"]\n'
    )
    people = "code,months,answer_skill,answer_years,answer_note\nP1,0,1,3,'=x\nP2,24.5,,0.5,text\n"
    assert bring(study_toml=toml, participants=people).study == "Theirs"
    (study,) = all_of(store, Study)
    assert "PLANTED" not in study.rules
    assert "slots" not in study.rules
    assert {(each.limit_seconds, each.seed) for each in all_of(store, Session)} == {(5400.0, 4)}
    assert [each.answers for each in all_of(store, Participant)] == [
        {"skill": "1", "years": 3, "note": "=x"},
        {"years": 0.5, "note": "text"},
    ], "a choice is a text, also where it looks like a number"


def test_a_final_choice_may_be_told(bring, store):
    bring(final_choices="participant,trial,chosen_by\nP1,1,clock\nP2,1,\n")
    first, second = all_of(store, FinalChoice)
    assert (first.trial_id, first.chosen_by) == (all_of(store, Trial)[0].id, Chooser.CLOCK)
    assert second.optimizer is Optimizer.ADAM


def test_a_final_choice_may_be_none_of_the_trials(bring, store):
    values = "participant,epochs,batch_size,loss,optimizer,momentum\nP1,7,16,mse,sgd,0.5\nP2,10,32,nll,adam,0.5\n"
    bring(final_choices=values)
    first, second = all_of(store, FinalChoice)
    assert (first.trial_id, first.epochs, first.momentum) == (None, 7, 0.5)
    assert second.momentum == 0.0, "Adam uses none, so it is at its default"


BEYOND = """participant,number,epochs,batch_size,loss,optimizer,learning_rate,momentum,beta1,epsilon,lambd,\
weight_decay,validation_accuracy
P1,1,5,64,nll,sgd,2000,10,,,,,20
P1,2,1200,64,nll,adam,8,,4,6,,10,20
P1,3,5,64,nll,asgd,0,,,,10,,20
P1,4,5,64,nll,sgd,0.1,,,,,,20
P2,1,5,64,nll,adam,1e300,,-1,,,,20
"""
"""Values as people entered them in the original study, and some more."""


def test_data_of_others_may_have_any_values_and_it_is_said_which_the_form_does_not_accept(bring, store):
    found = bring(trials=BEYOND)
    first, second, third, _, last = all_of(store, Trial)
    assert (first.learning_rate, first.momentum, second.epochs) == (2000, 10, 1200)
    assert (second.beta1, second.epsilon, second.weight_decay, third.learning_rate) == (4, 6, 10, 0)
    assert (last.learning_rate, last.beta1) == (1e300, -1)
    assert found.assumed[-1] == (
        "trials.csv: 2 rows have values that the study's form does not accept, kept as they are: "
        "beta1 (2, such as 4); learning_rate (1, such as 1e+300)."
    )
    load(store)


def test_which_values_are_beyond_follows_from_the_bounds_of_the_study(bring):
    found = bring(trials=BEYOND, study_toml='[form]\nbounds = "narrow"\n')
    assert found.assumed[-1] == (
        "trials.csv: 4 rows have values that the study's form does not accept, kept as they are: "
        "learning_rate (3, such as 1e+300); momentum (1, such as 10); epochs (1, such as 1200); "
        "epsilon (1, such as 6); beta1 (2, such as 4)."
    )


def test_nothing_is_said_of_values_that_the_form_accepts(bring):
    assert not any("does not accept" in each for each in bring().assumed)


def test_a_trial_may_have_more_epochs_than_ever(bring, store):
    trials = TRIALS + "P1,3,1200,64,nll,sgd,20\n"
    bring(trials=trials, epochs="participant,trial,seed,epoch,training_loss\nP1,3,,1200,0.5\n")
    assert history.sessions(store, 1)[0].trials[-1].epoch_losses == (0.5,)


def test_what_programs_write_is_read_too(bring, store):
    bring(
        participants=b"\xef\xbb\xbf" + PEOPLE.replace("\n", "\r\n").encode(),
        trials='"participant","number","epochs","batch_size","loss","optimizer","validation_accuracy"\n'
        "P1, 1 ,5.0,64,nll,sgd,2.05e1\n\nP2,1,5,6.4e1,nll,sgd,".replace("6.4e1", "64.0")
        + "\n",
        evaluations="test_accuracy,seed,participant\n+30.,1.0,P1\n",
    )
    assert [(each.epochs, each.batch_size, each.validation_accuracy) for each in all_of(store, Trial)] == [
        (5, 64, 20.5),
        (5, 64, None),
    ]


def test_tables_may_be_in_a_folder_among_litter(store, tmp_path):
    content: dict[str, str | bytes] = {f"my data/{name}": each for name, each in files().items()}
    litter: dict[str, str | bytes] = {"__MACOSX/my data/._trials.csv": b"\0", "my data/.DS_Store": b"\0"}
    assert import_bundle(store, zipped(tmp_path / "x.zip", content | litter | {"my data/LICENSE": "CC BY"})).rows


def test_epochs_and_environments_of_ones_own(bring, store):
    bring(
        epochs="participant,trial,seed,epoch,training_loss\nP1,1,,1,nan\nP1,,2,1,0.5\nP1,1,,2,-inf\n",
        environments='environment,name,value\n3,device,"""cpu"""\n3,threads,2\n',
        trials=TRIALS.replace("accuracy\n", "accuracy,environment\n").replace("20.5\n", "20.5,3\n")
        .replace("31\n", "31,\n").replace("55.25\n", "55.25,\n").replace("adam,\n", "adam,,\n"),
    )  # fmt: skip
    assert all_of(store, Trial)[0].environment == {"device": "cpu", "threads": 2}
    session = history.sessions(store, 1)[0]
    assert [str(each) for each in session.trials[0].epoch_losses] == ["nan", "-inf"]


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named_with_its_place(sqlite_store, tmp_path, what):
    changes, said = WRONG[what]
    with pytest.raises(BundleRefused) as refused:
        import_bundle(sqlite_store, zipped(tmp_path / "theirs.zip", files(**changes)))
    assert said in str(refused.value)
    assert not refused.value.more
    assert len(refused.value.problems) == 1, "nothing that only follows from it"
    assert nothing_is_in(sqlite_store)


def nothing_is_in(store: Store) -> bool:
    with store.read() as transaction:
        return not any(transaction.execute(select(table)).first() for table in Table.metadata.tables.values())


def test_two_amendments_without_names_are_not_called_the_same(bring):
    heading = "name,reason,day,old_rules_hash,old_rules,rules_hash,rules\n"
    with pytest.raises(BundleRefused) as refused:
        bring(amendments=f"{heading},b,2030-01-01,x,,y,z\n,b,2030-01-02,x,,y,z\n")
    assert [(each.row, each.column, each.sentence) for each in refused.value.problems] == [
        (2, "name", "is empty."),
        (3, "name", "is empty."),
    ]


def test_all_problems_are_named_and_twenty_are_enough(bring, store):
    with pytest.raises(BundleRefused) as refused:
        bring(
            participants="code,months\nP1,ten\nP2,-3\n",
            evaluations="participant,seed,test_accuracy\nP3,1,30\nP1,x,30\n",
        )
    assert str(refused.value).startswith("participants.csv, row 2, column months: “ten” is not a number.\n")
    assert [(each.file, each.row, each.column) for each in refused.value.problems] == [
        ("participants.csv", 2, "months"),
        ("participants.csv", 3, "months"),
        ("evaluations.csv", 2, "participant"),
        ("evaluations.csv", 3, "seed"),
    ]
    with pytest.raises(BundleRefused) as refused:
        bring(trials=TRIALS + "P9,1,5,64,nll,sgd,20\n" * 500)
    assert (len(refused.value.problems), refused.value.more) == (20, True)
    assert str(refused.value).endswith("There may be more: the search ended here.")
    assert nothing_is_in(store)


def test_one_mistake_in_the_last_row_of_many_imports_nothing(bring, store):
    many = "".join(f"P1,{number},5,64,nll,sgd,20\n" for number in range(3, 1300))
    with pytest.raises(BundleRefused, match=r"trials\.csv, row 1303, column loss"):
        bring(trials=TRIALS + many + "P1,1300,5,64,hinge,sgd,20\n")
    assert nothing_is_in(store)
    assert bring(trials=TRIALS + many).rows["trials"] == 1301


def test_a_study_of_that_name_is_kept(bring, store):
    bring()
    with pytest.raises(Refused, match="has a study “their data” already") as refused:
        bring()
    assert refused.value.reason is Reason.NAME_TAKEN
    assert len(all_of(store, Study)) == 1
    assert len(all_of(store, Event)) == 1


def test_nothing_is_imported_beside_a_study_that_runs(bring, lab):
    with pytest.raises(Refused, match="belongs to the study “skill”, which is not closed") as refused:
        bring()
    assert refused.value.reason is Reason.STUDY_OPEN


def test_a_data_base_goes_on_after_an_import(bring, empty_lab):
    bring()
    empty_lab.open()
    session = empty_lab.seated()
    assert empty_lab.tried(session, 50.0).number == 1
    assert studies.current_study(empty_lab.store).name == "skill"
    assert participants.get(empty_lab.store, session.participant_id).code == "P001"
