"""The tables' history: one file per version, applied in order by :meth:`storage.database.Store.migrate`."""
