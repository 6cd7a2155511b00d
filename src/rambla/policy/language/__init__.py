"""How do people write a policy?

The readable language: layers of YAML with roles, rules and conditions that can be read aloud.
"""
