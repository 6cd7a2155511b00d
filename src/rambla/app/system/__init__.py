"""What does every platform bring along for its namespaces? The packages of `whisk.system`.

`catalog.json` says which, a folder for each package holds the code of its actions.
"""
