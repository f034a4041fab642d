"""The report of a study: numbers computed from the stored data, and figures, tables and a page of these numbers."""
