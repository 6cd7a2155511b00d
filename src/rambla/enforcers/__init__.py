"""Who outside is asked whether they may, and how long does an answer hold?

A directory, a database, a web service: each has a name that rules ask by. `ports` is what a driver promises, `asking`
asks one of them and remembers, `panel` holds all. What an answer decides the policy says, and `flow` when to ask.
"""
