"""What does a policy mean, beyond a single decision?

Pure functions over policies: what changes between two, who may, what may they, why, and which rules were never asked.
"""
