"""How do the catalogue and the index behave, with no disk under them?

The same ports in dicts, for tests of the rooms above. Nothing is durable; all else is as the conformance suites ask.
"""
