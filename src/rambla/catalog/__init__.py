"""What exists: packages, actions, triggers and rules?

`ports.py` is what it asks of a database. Pure functions here merge updates and parameters; `flow` calls them between
reading and writing. It does not know HTTP, and not who is allowed.
"""
