"""How much, for whom?

Pure arithmetic on activations: memory times time. Rates and budgets come with the accounting issue.
"""
