"""``python -m graphlab``, so that ``torchrun --nproc_per_node 2 -m graphlab train ...`` works."""

import sys

from graphlab.cli import main

if __name__ == "__main__":
    sys.exit(main())
