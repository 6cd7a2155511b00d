"""How do web services decide?

By POST, without following redirects, with certificates verified and answers bounded: in oslo.policy's wire form and by
the data API of the Open Policy Agent. (port: rambla.enforcers.ports.Enforcer)
"""
