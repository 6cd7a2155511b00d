"""Who does an OpenID provider say that somebody is?

Its tokens are read and its signatures verified here; logging in there is the command line's. (port:
rambla.identity.ports.Source)
"""
