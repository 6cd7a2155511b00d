"""What does a person type?

Commands. Each asks the platform's own API, so that nothing here can do what a client could not.
"""
