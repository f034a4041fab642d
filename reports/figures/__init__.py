"""The report's figures: they draw what :mod:`reports.results.everything` holds, and compute nothing."""
