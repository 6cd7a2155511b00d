"""What do OpenStack's own policies say?

oslo.policy spoken natively: its check language, its documents, its defaults in code; and its traps, refused on request.
"""
