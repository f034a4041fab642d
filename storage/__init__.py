"""What happened: the tables, and the only code that changes them.

Every function takes the :class:`storage.database.Store` first. Each transition is one transaction: it checks the
state it starts from, refuses with a :class:`storage.refusals.Refused` when that is another, and writes the event log.
What is returned is detached: it can be read after the transaction, from any thread, and changing it changes nothing.
"""
