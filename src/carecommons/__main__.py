"""`python -m carecommons` is `carecommons`."""

from carecommons.cli import main

if __name__ == "__main__":
    main()
