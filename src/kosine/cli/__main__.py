"""`python -m kosine.cli`: the command line where the script is not on the path."""

import sys

from kosine.cli import main

sys.exit(main())
