"""Alembic runs this: it applies the versions in the transaction that the store opened."""

from alembic import context

from storage.schema.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
