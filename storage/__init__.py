"""The record of the study: the tables, and the only code that changes them.

- :mod:`storage.schema`: the tables, and the migrations that make them.
- :mod:`storage.transitions`: what changes a study. A transition is one transaction of the database. It checks the state
  from which it starts, raises :class:`storage.refusals.Refused` if that is another, and writes the event log.
- :mod:`storage.queries`: what only reads.
- :mod:`storage.bundle`: a study as open data, and back.

The functions take a :class:`storage.database.Store`. The rows that they return are detached: they can be read after the
transaction, from any thread, and changing them does not change the database.
"""
