"""The preregistration for readers: Markdown, under the headings of OSF's form."""

from collections.abc import Iterator, Mapping
from typing import Any

import tomli_w

from storage.registration.document import Registration
from storage.study_rules import GROUPS, without_nothing

_EXPLORATORY = (
    "Everything else in the report is exploratory: the comparisons of groups, numbers of tries, reasons for values, "
    "search behaviour, people against random search and TPE, importance of hyperparameters, and the size of a "
    "follow-up. The report says so, and lists every deviation from this registration: time that was given or given "
    "back, sessions and evaluations that were cancelled, amended rules, looks at results before the end, exclusions, "
    "and another number of people than planned."
)


def markdown(registration: Registration) -> str:
    """The registration as a page of Markdown."""
    return "\n\n".join(_parts(registration)) + "\n"


def _parts(registration: Registration) -> Iterator[str]:
    plan, rules = registration.plan, registration.rules
    yield f"# Preregistration: {registration.study}"
    yield (
        f"Registered on {registration.day}, before the first participant. `preregistration.json` says the same for "
        "programs."
    )
    yield "## Study information"
    yield f"**Title.** {registration.study}"
    yield f"**Hypothesis.** {plan.hypothesis or 'None.'}"
    yield "## Design plan"
    yield "**Study type.** " + _design(rules)
    yield "**Blinding.** " + (
        "Test results can be read while the study runs; each time that somebody makes a report is recorded."
        if plan.interim == "shown"
        else "Test results are hidden from everybody until the study is closed. Who looks before is recorded."
    )
    yield "## Sampling plan"
    yield f"**Number of people.** {plan.target_participants or 'Not decided.'}"
    yield f"**Stopping rule.** {plan.stopping_rule or 'None.'}"
    yield "## Variables"
    yield _variables(rules)
    yield "## Analysis plan"
    yield f"**Primary test (confirmatory).** {plan.test_in_words} The significance level is {plan.alpha:g}."
    yield "**Exclusion.**"
    yield "\n".join(f"- {each}" for each in plan.exclusion_rules) or "None."
    yield f"**Exploratory analysis.** {_EXPLORATORY}"
    yield "## Consent text"
    yield "\n".join(f"> {line}".rstrip() for line in registration.consent.splitlines()) or "None."
    yield f"SHA-256: `{registration.consent_hash}`"
    yield "## Rules"
    yield f"```toml\n{_toml(rules)}```"
    yield f"SHA-256 as they are kept with the study: `{registration.rules_hash}`"
    yield "## Code"
    versions = ", ".join(f"{name} {version}" for name, version in registration.libraries.items())
    yield f"Black Magic {registration.code_version}, SHA-256 of its files `{registration.code_hash}`. {versions}."


def _design(rules: Mapping[str, Any]) -> str:
    study, time, training = (_section(rules, name) for name in ("study", "time", "training"))
    seeds = training.get("evaluation_seeds")
    tasks = study.get("task")
    named = ", ".join(map(str, tasks)) if isinstance(tasks, list) else str(tasks)
    return (
        "An observational study in a controlled setting. Each person tunes 15 hyperparameters of the same network by "
        f"hand, for {time.get('limit_minutes')} minutes at most, with the same initial weights and the same order of "
        f"images. The final choice is trained once with each of the seeds {seeds} on training and validation images "
        f"together, and measured on the test images. Tasks: {named}."
    )


def _variables(rules: Mapping[str, Any]) -> str:
    groups = _section(rules, "groups")
    novice, medium = groups.get("novice_up_to_months"), groups.get("medium_up_to_months")
    lines = [
        "- Months of deep-learning experience, as told before the start.",
        f"- Group: {GROUPS[0]} (up to {novice} months), {GROUPS[1]} (up to {medium} months), {GROUPS[2]} (more).",
        "- Mean test accuracy of the final choice over the evaluation seeds, in percent. An evaluation that diverged "
        "or failed counts as 0.",
    ]
    questions = rules.get("questions")
    asked = questions if isinstance(questions, list) else []
    lines += [f"- Asked before the start: {each.get('label')}" for each in asked if isinstance(each, Mapping)]
    return "\n".join(lines)


def _toml(rules: Mapping[str, Any]) -> str:
    try:
        return tomli_w.dumps(without_nothing(rules), multiline_strings=False)
    except RecursionError:  # of a bundle that somebody made by hand
        return "# These rules are nested too deeply to be shown.\n"


def _section(rules: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = rules.get(name)
    return found if isinstance(found, Mapping) else {}
