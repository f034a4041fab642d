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
from tests.storage.bundle.bundles import EVALUATIONS, PEOPLE, TRIALS, files, zipped
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


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a table is missing": ({"trials": None}, "trials.csv is missing, and is required."),
    "a table is unknown": ({"trails": "a\n"}, "trails.csv is not known here. The tables are: amendments.csv, "),
    "a table is empty": ({"trials": ""}, "trials.csv is empty: it needs a heading at least."),
    "a required column is missing": (
        {"participants": "code\nP1\nP2\n"},
        "participants.csv, row 1, column months: is missing, and is required.",
    ),
    "a column is misspelt": (
        {"participants": "code,months,Educaton\nP1,2,\nP2,3,\n"},
        "participants.csv, row 1, column “Educaton”: is not known. Is it education?",
    ),
    "a column is unknown": (
        {"participants": "code,months,shoe size\nP1,2,44\nP2,1,45\n"},
        "participants.csv, row 1, column “shoe size”: is not known. The answer to a question of your own goes into a "
        "column such as answer_question.",
    ),
    "a column is there twice": (
        {"participants": "code,months,months\nP1,2,2\n"},
        "participants.csv, row 1, column months: is there twice.",
    ),
    "semicolons": ({"participants": PEOPLE.replace(",", ";")}, "participants.csv, row 1: has other separators"),
    "a decimal comma": (
        {"participants": 'code,months\nP1,"2,5"\nP2,1\n'},
        "participants.csv, row 2, column months: “2,5” is not a number (decimals are written with a point).",
    ),
    "no number": (
        {"participants": "code,months\nP1,ten\nP2,1\n"},
        "participants.csv, row 2, column months: “ten” is not a number.",
    ),
    "Python's own numbers": (
        {"participants": "code,months\nP1,1_0\nP2,1\n"},
        "row 2, column months: “1_0” is not a num",
    ),
    "no finite number": ({"participants": "code,months\nP1,1e999\nP2,1\n"}, "“1e999” is too large a number."),
    "nan months": ({"participants": "code,months\nP1,nan\nP2,1\n"}, "“nan” is not a number."),
    "negative months": (
        {"participants": "code,months\nP1,-1\nP2,1\n"},
        "participants.csv, row 2, column months: “-1” is out of range: 0 or more.",
    ),
    "an accuracy above 100": (
        {"evaluations": "participant,seed,test_accuracy\nP1,1,100.5\n"},
        "evaluations.csv, row 2, column test_accuracy: “100.5” is out of range: 0 to 100.",
    ),
    "accuracies from 0 to 1": (
        {"evaluations": "participant,seed,test_accuracy\n" + "".join(f"P1,{n},0.{n}\n" for n in range(1, 7))},
        "evaluations.csv, column test_accuracy: is never above 1: accuracies are in percent, so multiply them by 100.",
    ),
    "an empty code": (
        {"participants": "code,months\n,1\nP1,1\nP2,1\n"},
        "participants.csv, row 2, column code: is empty.",
    ),
    "no code": (
        {"participants": "code,months\nP 1,1\n"},
        "“P 1” is no code: up to 32 letters, digits, dots and dashes.",
    ),
    "a Slack ID": ({"participants": "code,months\nU05ABCDEF1,1\n"}, "“U05ABCDEF1” looks like somebody's Slack ID"),
    "a code twice": (
        {"participants": PEOPLE + "p1,3\n"},
        "participants.csv, row 4, column code: “p1” is in row 2 already.",
    ),
    "a person without months": (
        {"participants": "code,months\nP1,0\nP2,\n"},
        "participants.csv, row 3, column months: P2 has a session and is only invited: are the months of experience "
        "missing?",
    ),
    "a described person without months": (
        {"participants": "code,months,state\nP1,0,\nP2,,described\n"},
        "participants.csv, row 3, column months: is empty, and the person has described themselves.",
    ),
    "a program with months": (
        {"participants": "code,months,kind\nP1,0,\nP2,1,tpe\n"},
        "participants.csv, row 3, column months: is not empty, and it is an artificial participant.",
    ),
    "no such baseline": (
        {
            "participants": "code,months,kind,baseline\nP1,0,,\nP2,,tpe,T7\n",
            "baselines": "code,searcher,task,wanted,seed\nT1,tpe,x,1,1\n",
        },
        "participants.csv, row 3, column baseline: “T7” is not in baselines.csv.",
    ),
    "another searcher's baseline": (
        {
            "participants": "code,months,kind,baseline\nP1,0,,\nP2,,random,T1\n",
            "baselines": "code,searcher,task,wanted,seed\nT1,tpe,x,1,1\n",
        },
        "column baseline: “T1” is a baseline of tpe, and the participant is of random.",
    ),
    "an unknown participant": (
        {"trials": TRIALS + "P9,1,5,64,nll,sgd,20\n"},
        "trials.csv, row 6, column participant: “P9” is not in participants.csv.",
    ),
    "a participant in other letters": (
        {"trials": TRIALS + "p1,3,5,64,nll,sgd,20\n"},
        "trials.csv, row 6, column participant: “p1” is not in participants.csv.",
    ),
    "a trial twice": (
        {"trials": TRIALS + "P1,2,5,64,nll,sgd,20\n"},
        "trials.csv, row 6, column number: P1 has a trial 2 already.",
    ),
    "an unknown word": (
        {"trials": TRIALS + "P1,3,5,64,nll,adamw,20\n"},
        "trials.csv, row 6, column optimizer: “adamw” is not one of: adam, adadelta, adagrad, asgd, rmsprop, sgd.",
    ),
    "a value that no trial can have": (
        {"trials": TRIALS + "P1,3,0,64,nll,adam,20\n"},
        "trials.csv, row 6, column epochs: Epochs must be from 1 to 1000: “0” is not.",
    ),
    "half an epoch": (
        {"trials": TRIALS + "P1,3,1.5,64,nll,adam,20\n"},
        "row 6, column epochs: “1.5” is not a whole number.",
    ),
    "a huge integer": (
        {"evaluations": "participant,seed,test_accuracy\nP1,4294967296,1\n"},
        "“4294967296” is too large",
    ),
    "a cell too many": (
        {"trials": TRIALS + "P1,3,5,64,nll,sgd,20,\n"},
        "trials.csv, row 6: has 8 cells, and the heading 7.",
    ),
    "an open quote": (
        {"trials": TRIALS + 'P1,3,5,64,nll,sgd,"20\n'},
        "trials.csv is not a table of comma-separated values",
    ),
    "complete without accuracy": (
        {"evaluations": "participant,seed,test_accuracy,state\nP1,1,,complete\n"},
        "evaluations.csv, row 2, column test_accuracy: is empty, and the state is complete.",
    ),
    "an accuracy of what failed": (
        {"evaluations": "participant,seed,test_accuracy,state\nP1,1,30,diverged\n"},
        "evaluations.csv, row 2, column test_accuracy: is not empty, and the state is diverged.",
    ),
    "two unfinished trials": (
        {
            "trials": "participant,number,epochs,batch_size,loss,optimizer,validation_accuracy,state\n"
            "P1,1,5,64,nll,sgd,,waiting\nP1,2,5,64,nll,sgd,,running\n",
            "evaluations": EVALUATIONS.partition("\n")[0] + "\n",
        },
        "trials.csv, row 3, column state: P1 has an unfinished trial already.",
    ),
    "a comment without its text": (
        {
            "trials": "participant,number,epochs,batch_size,loss,optimizer,validation_accuracy,comment_epochs\n"
            "P1,1,5,64,nll,sgd,20,other\nP2,1,5,64,nll,sgd,20,guess\n"
        },
        "trials.csv, row 2, column text_epochs: is empty, and the comment is “other”.",
    ),
    "a text without its comment": (
        {
            "trials": "participant,number,epochs,batch_size,loss,optimizer,validation_accuracy,text_epochs\n"
            "P1,1,5,64,nll,sgd,20,why not\nP2,1,5,64,nll,sgd,20,\n"
        },
        "trials.csv, row 2, column comment_epochs: is empty, and there is a text in text_epochs.",
    ),
    "a null character": (
        {"participants": "code,months,education\nP1,0,a\0b\nP2,0,\n"},
        "participants.csv, row 2, column education: “a·b” has a null character in it.",
    ),
    "an evaluation twice": (
        {"evaluations": EVALUATIONS + "P1,2,30\n"},
        "evaluations.csv, row 5, column seed: P1 has an evaluation with the seed 2 already.",
    ),
    "nothing to evaluate": (
        {"participants": PEOPLE + "P3,1\n", "evaluations": EVALUATIONS + "P3,1,30\n"},
        "evaluations.csv, row 5, column participant: P3 has no trial that could have been chosen.",
    ),
    "an evaluation of no final choice": (
        {"final_choices": "participant,trial\nP1,1\n"},
        "evaluations.csv, row 4, column participant: P2 has no final choice in final_choices.csv.",
    ),
    "a final choice of no trial": (
        {"final_choices": "participant,trial\nP1,9\nP2,1\n"},
        "final_choices.csv, row 2, column trial: P1 has no trial 9.",
    ),
    "a final choice twice": (
        {"final_choices": "participant,trial\nP1,1\nP2,1\nP1,2\n"},
        "final_choices.csv, row 4, column participant: P1 has a final choice already.",
    ),
    "a final choice unlike its trial": (
        {"final_choices": "participant,trial,epochs,batch_size,loss,optimizer\nP1,1,9,64,nll,sgd\nP2,1,,,,\n"},
        "final_choices.csv, row 2, column trial: is 1, and that trial of P1 has other values than the final choice.",
    ),
    "a final choice without values": (
        {"final_choices": "participant,trial\nP1,1\nP2,\n"},
        "final_choices.csv, row 3, column trial: is empty, and there are no values either.",
    ),
    "a final choice of an open session": (
        {
            "sessions": "participant,state\nP1,active\nP2,finished\n",
            "final_choices": "participant,trial\nP1,1\nP2,1\n",
        },
        "final_choices.csv, row 2, column participant: P1 has not finished.",
    ),
    "no session": (
        {"sessions": "participant\nP1\n"},
        "trials.csv, row 4, column participant: P2 has no session in sessions.csv.",
    ),
    "a session twice": (
        {"sessions": "participant\nP1\nP2\nP1\n"},
        "sessions.csv, row 4, column participant: P1 has a session already.",
    ),
    "an open session that ended": (
        {"sessions": "participant,state,ended_as\nP1,active,chosen\nP2,,\n"},
        "sessions.csv, row 2, column ended_as: is not empty, and the session is active.",
    ),
    "an open choice without end": (
        {"sessions": "participant,state\nP1,choosing\nP2,\n"},
        "sessions.csv, row 2, column grace_ends_seconds: is empty, and the final choice is open.",
    ),
    "a time out of the world": (
        {"sessions": "participant,deadline_seconds\nP1,1e300\nP2,\n"},
        "sessions.csv, row 2, column deadline_seconds: “1e300” is out of range: within 30 years.",
    ),
    "an epoch of nothing": (
        {"epochs": "participant,trial,seed,epoch\nP1,,,1\n"},
        "epochs.csv, row 2, column trial: is of a trial or of an evaluation: one of the two columns is filled.",
    ),
    "an epoch of no trial": (
        {"epochs": "participant,trial,seed,epoch\nP1,9,,1\n"},
        "epochs.csv, row 2, column trial: P1 has no trial 9.",
    ),
    "an epoch twice": (
        {"epochs": "participant,trial,seed,epoch\nP1,1,,1\nP1,2,,1\nP1,1,,1\n"},
        "epochs.csv, row 4, column epoch: epoch 1 is there already.",
    ),
    "broken batch losses": (
        {"epochs": "participant,trial,seed,epoch,batch_losses\nP1,1,,1,AAA\n"},
        "epochs.csv, row 2, column batch_losses: “AAA” is no series of float32 numbers in base64.",
    ),
    "an unknown environment": (
        {"evaluations": "participant,seed,test_accuracy,environment\nP1,1,30,4\n"},
        "evaluations.csv, row 2, column environment: 4 is not in environments.csv.",
    ),
    "an environment that is no JSON": (
        {"environments": "environment,name,value\n1,device,cpu\n"},
        "environments.csv, row 2, column value: is no text, number, true, false or null in JSON.",
    ),
    "an amendment twice": (
        {
            "amendments": "name,reason,day,old_rules_hash,old_rules,rules_hash,rules\n"
            "a,b,2030-01-01,x,,y,z\na,b,2030-01-02,x,,y,z\n"
        },
        "amendments.csv, row 3, column name: “a” is there twice.",
    ),
    "no day": (
        {"study": "format,name,rules_hash,rules,opened_on\n1,x,h,{},31.3.2030\n"},
        "study.csv, row 2, column opened_on: “31.3.2030” is no day such as 2030-03-31.",
    ),
    "two studies": (
        {"study": "format,name,rules_hash,rules\n1,x,h,{}\n1,y,h,{}\n"},
        "study.csv has more than one row; a bundle holds one study.",
    ),
    "a newer format": (
        {"study": "format,name,rules_hash,rules\n9,x,h,{}\n"},
        "study.csv, row 2, column format: 9 is newer than this program: update Black Magic.",
    ),
    "rules that differ": (
        {"study": "format,name,rules_hash,rules\n1,x,h,{}\n", "study_toml": "a = 1\n"},
        "study.toml says other rules than study.csv: change both, or leave one of the two files out.",
    ),
    "rules that are no TOML": ({"study_toml": "a == 1"}, "study.toml is not valid TOML: "),
    "another encoding": (
        {"participants": "code,months,education\nP1,0,Lycée\n".encode("latin-1")},
        "participants.csv is not UTF-8 (byte 0xe9, about line",
    ),
    "UTF-16": ({"participants": PEOPLE.encode("utf-16")}, "participants.csv is not UTF-8 (byte 0xff, about line 1)"),
}


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
