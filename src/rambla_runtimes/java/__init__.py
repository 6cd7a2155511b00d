"""What runs Java actions?

`Launcher.java` is the program of a Java sandbox; the platform compiles it, with Google's gson, when the runtime is
installed.
"""
