"""Which public route means which action or service?

APIs as their owners describe them in Swagger or OpenAPI, and the routes that follow. What comes before: `http` for the
request. What comes after: `flow/web.py` runs the action.
"""
