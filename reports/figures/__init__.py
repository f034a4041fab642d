"""The report's figures: they draw what :mod:`reports.results` holds, and compute nothing."""
