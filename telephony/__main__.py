"""`python -m telephony` is the `dutyline` command."""

from telephony.cli import main

if __name__ == "__main__":
    main()
