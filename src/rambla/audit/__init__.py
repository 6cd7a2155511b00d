"""What was done, by whom?

Writes intents before effects and outcomes after them into the journal. Reading them again is `activations`' index.
"""
