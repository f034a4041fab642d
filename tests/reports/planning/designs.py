"""Designs for the tests of planning."""

from typing import Any

from reports.planning.design import Correlated, Design
from reports.planning.recruits import paper
from reports.planning.registered_tests import RegisteredTest


def design(test: RegisteredTest = RegisteredTest.SPEARMAN, **changed: Any) -> Design:
    """The paper's people, 1,000 studies, but for what is changed."""
    given: dict[str, Any] = {
        "effects": (Correlated(0.6),),
        "recruits": paper(),
        "fixed": test is not RegisteredTest.SPEARMAN,
        "people": (31,),
        "studies": 1_000,
    }
    return Design(test, **{**given, **changed})
