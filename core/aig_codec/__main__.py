"""`python -m aig_codec` is `aig`."""

import sys

from .cli import main

if __name__ == "__main__":  # processes that this one starts import it too
    sys.exit(main())
