"""Whom does OpenStack's Keystone know?

Tokens, passwords and application credentials of its Identity API v3, over HTTP with certificates verified, answers
bounded and no redirect followed. (port: rambla.identity.ports.Source)
"""
