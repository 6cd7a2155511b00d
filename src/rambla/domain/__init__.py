"""What are the things we talk about?

Frozen records and pure checks: names, actions, triggers, rules, activations, callers, decisions, journal records and
errors. No I/O, no clock, no async. Every room speaks these words to the others.
"""
