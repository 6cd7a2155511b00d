"""Which tools could each be a library of its own?

Journal, clock, ids, tasks, limits: general machinery that knows nothing of clouds or functions. Everything above may
use it; it imports nothing of ours.
"""
