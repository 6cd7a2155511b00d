"""What does a request over HTTP mean?

Parse, one call into `flow`, render. Endpoints are one table; statuses of errors are in `errors.py` only.
"""
