"""How does the platform keep people itself? Passwords by argon2, second factors by the time of day."""
