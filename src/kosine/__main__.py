"""`python -m kosine` is the command line, for where the command `kosine` is not on the path."""

import sys

from kosine.cli import main

if __name__ == "__main__":
    sys.exit(main())
