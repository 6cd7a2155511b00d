"""Where do objects lie, who hears of them, and which address opens one for how long?

The object stores' side of events: subscriptions of triggers to containers, and short-lived signed addresses for
actions. Events come in through `sources`; this room goes out to the store.
"""
