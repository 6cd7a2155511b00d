"""Which parts does a platform without technology have?

An engine that runs nothing, for tending namespaces while no server runs.
"""
