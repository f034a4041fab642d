"""Open data: a study as a bundle of tables under codes, and such a bundle as a study.

What is not in a bundle: who is whom, the event log (it holds the times at which people took part; looks at results
before the study was closed are a table of their own), where Slack messages are, and alerts. Everything else is, so
that a report is the same from a bundle and from the database; but for what people told of themselves, of which a
bundle has as much as it was asked for.
"""

from storage.bundle.reading.importing import Imported, import_bundle
from storage.bundle.reading.problems import BundleRefused, Problem
from storage.bundle.writing.export import Exported, export_bundle

__all__ = ["BundleRefused", "Exported", "Imported", "Problem", "export_bundle", "import_bundle"]
