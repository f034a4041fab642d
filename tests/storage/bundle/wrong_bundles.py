"""What may be wrong in a bundle: the files that are so, and what is said of them."""

from typing import Any

from tests.storage.bundle.bundles import EVALUATIONS, PEOPLE, TRIALS

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
        "trials.csv, row 6, column epochs: Epochs must be 1 or more: “0” is not.",
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
        {"study": "format,name,rules_hash,rules\n99,x,h,{}\n"},
        "study.csv, row 2, column format: 99 is newer than this program: update Black Magic.",
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
