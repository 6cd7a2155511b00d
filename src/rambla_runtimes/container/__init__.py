"""How is an unchanged container image reached that has no network?

`entrance.py` runs beside the platform and never in a container. It runs no user code.
"""
