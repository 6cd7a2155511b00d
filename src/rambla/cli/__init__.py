"""How does a person, or a shell script, tell the platform what to do?

Commands, one module per subject. They speak HTTP like every other client, so they may do nothing that others may not.
What comes before: a shell. What comes after: `http`, of a running server or opened in this very process.
"""
