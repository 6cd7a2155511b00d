"""Which steps bring an older database up to date? Alembic runs them when a database is opened; see `database`."""
