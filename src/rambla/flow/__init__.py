"""Who comes before whom?

The sentences: identify, decide, write down, act, record. It alone knows the order; rooms do not call each other.
"""
