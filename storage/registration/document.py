"""The preregistration as a document: written when a study opens, and read by the report."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from storage.registration.code import code_hash, code_version, library_versions
from storage.registration.plan import AnalysisPlan
from storage.study_rules import hash_of, parse_rules

FORMAT = 1
"""The version of the document."""


@dataclass(frozen=True)
class Registration:
    """What was settled before a study opened.

    Attributes:
        study: The study's name.
        day: When it opened (ISO, UTC).
        plan: The analysis plan.
        rules: All rules as a mapping: tasks, time, seeds, groups, questions.
        rules_hash: The SHA-256 of the rules as they are kept with the study.
        consent: The consent text as participants read it.
        consent_hash: Its SHA-256.
        code_version, code_hash: The program, see :mod:`storage.registration.code`.
        libraries: The versions of the libraries, by name.
    """

    study: str
    day: str
    plan: AnalysisPlan
    rules: Mapping[str, Any]
    rules_hash: str
    consent: str
    consent_hash: str
    code_version: str
    code_hash: str
    libraries: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def now(cls, *, study: str, rules: str, rules_hash: str, consent: str, day: date) -> Self:
        """The registration of a study that opens on this day, with the code that runs.

        Args:
            rules: The rules as canonical JSON.
        """
        given = parse_rules(rules)
        return cls(
            study=study,
            day=day.isoformat(),
            plan=AnalysisPlan.read(given.get("analysis")),
            rules=given,
            rules_hash=rules_hash,
            consent=consent,
            consent_hash=hash_of(consent),
            code_version=code_version(),
            code_hash=code_hash(),
            libraries=library_versions(),
        )

    def to_json(self) -> str:
        """The document as JSON, the same text for the same registration."""
        plan = self.plan
        content = {
            "format": FORMAT,
            "study": self.study,
            "registered_on": self.day,
            "analysis": {
                "hypothesis": plan.hypothesis,
                "primary_test": plan.primary_test,
                "primary_test_in_words": plan.test_in_words,
                "alpha": plan.alpha,
                "target_participants": plan.target_participants,
                "stopping_rule": plan.stopping_rule,
                "exclusion_rules": list(plan.exclusion_rules),
                "interim": plan.interim,
            },
            "rules": self.rules,
            "rules_sha256": self.rules_hash,
            "consent": {"text": self.consent, "sha256": self.consent_hash},
            "code": {"version": self.code_version, "sha256": self.code_hash, "libraries": self.libraries},
        }
        return as_document(content)

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the document. Parts that are missing or cannot be understood are empty.

        Raises:
            ValueError: It is not a JSON object, or has characters that cannot be written.
        """
        try:
            given = json.loads(text)
            as_document(given).encode()
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        if not isinstance(given, dict):
            raise ValueError("it is not a JSON object")  # noqa: TRY004 (the text is at fault)
        consent, code = _part(given, "consent"), _part(given, "code")
        return cls(
            study=_text(given, "study"),
            day=_text(given, "registered_on"),
            plan=AnalysisPlan.read(given.get("analysis")),
            rules=_part(given, "rules"),
            rules_hash=_text(given, "rules_sha256"),
            consent=_text(consent, "text"),
            consent_hash=_text(consent, "sha256"),
            code_version=_text(code, "version"),
            code_hash=_text(code, "sha256"),
            libraries={name: str(value) for name, value in _part(code, "libraries").items()},
        )


def as_document(content: Any) -> str:
    """JSON as a preregistration is written."""
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _part(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(given: Mapping[str, Any], name: str) -> str:
    found = given.get(name)
    return found if isinstance(found, str) else ""
