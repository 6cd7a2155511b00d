"""How are the catalogue and the index kept in SQLite or PostgreSQL?

SQLAlchemy Core and Alembic; no ORM, so every statement that runs can be read here. The catalogue is the truth about
what exists; the index is derived from the journal and may be deleted. So they are two databases.
"""
