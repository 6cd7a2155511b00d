"""When and where does it run?

Limits, queues and the choice of a sandbox. What comes before: the guard. What comes after: `engine` runs it.
"""
