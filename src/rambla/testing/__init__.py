"""Does a driver keep the port's promises?

Conformance suites: one per port, run against every driver.
"""
