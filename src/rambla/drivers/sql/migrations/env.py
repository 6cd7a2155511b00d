"""How does Alembic reach the database? By the connection that `database.open_database` hands it, in its transaction."""

from alembic import context

from rambla.drivers.sql.tables import SCHEMAS

_attributes = context.config.attributes
context.configure(
    connection=_attributes["connection"],
    target_metadata=SCHEMAS[_attributes["schema"]],
    version_table=f"{_attributes['schema']}_version",
)
context.run_migrations()
