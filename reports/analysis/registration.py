"""The registered analysis: the plan, its primary test on everybody who is analysed, and what deviated from it."""

import numpy as np

from reports.analysis import final_accuracy
from reports.analysis.deviations import deviations
from reports.analysis.primary_test import People, primary_test
from reports.data.population import Population
from reports.data.study_data import StudyData
from reports.results.measures import NotComputable
from reports.results.registration import PrimaryResult, RegisteredAnalysis, RegisteredPlan
from storage.registration.document import Registration

NOT_REGISTERED = "The study was not preregistered, so nothing in this report is confirmatory."


def registered_analysis(data: StudyData) -> RegisteredAnalysis:
    """What was registered, what came of it, and every deviation that the data tells of."""
    registration = data.registration
    if registration is None:
        missing = NotComputable(NOT_REGISTERED)
        return RegisteredAnalysis(missing, missing, deviations(data))
    return RegisteredAnalysis(_plan(registration), _primary(data, registration), deviations(data))


def _plan(registration: Registration) -> RegisteredPlan:
    plan = registration.plan
    return RegisteredPlan(
        day=registration.day,
        hypothesis=plan.hypothesis,
        primary_test=plan.primary_test,
        test_in_words=plan.test_in_words,
        alpha=plan.alpha,
        target_participants=plan.target_participants,
        stopping_rule=plan.stopping_rule,
        exclusion_rules=plan.exclusion_rules,
        interim=plan.interim,
        rules_hash=registration.rules_hash,
        consent_hash=registration.consent_hash,
        code_version=registration.code_version,
        code_hash=registration.code_hash,
    )


def _primary(data: StudyData, registration: Registration) -> PrimaryResult | NotComputable:
    population = Population.analysed(data, data.people())
    accuracies = final_accuracy.accuracies(population)
    known = np.isfinite(accuracies)
    tasks = np.array([row.task or "" for row in population.rows], dtype=np.str_)
    people = People(population.months[known], accuracies[known], population.group_names[known], tasks[known])
    return primary_test(registration.plan.primary_test, people, alpha=registration.plan.alpha)
