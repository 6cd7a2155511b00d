"""How do the ports behave with no technology under them?

Catalogue, index and engine in plain Python objects, for tests of the rooms above and for tending a platform that does
not run. Nothing is durable or isolated; all else is as the conformance suites ask.
"""
