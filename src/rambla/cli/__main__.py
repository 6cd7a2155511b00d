"""What does `python -m rambla.cli` do? The same as the program `rambla`: the demo and the tests start servers so."""

from rambla.cli.main import main

if __name__ == "__main__":
    main()
