"""Open data: a study as an anonymous bundle of tables, and such a bundle as a study.

What is not in a bundle: who is whom, the event log (it holds the times at which people took part), where
Slack messages are, and alerts. Everything else is, so that a report is the same from a bundle and from the data base.
"""

from storage.bundle.export import Exported, export_bundle
from storage.bundle.importing import Imported, import_bundle
from storage.bundle.problems import BundleRefused, Problem

__all__ = ["BundleRefused", "Exported", "Imported", "Problem", "export_bundle", "import_bundle"]
