"""Grade the bank: `python -m attacks [--out PAGE] [--only WORD] [--no-bare]`, from the folder tests."""

import sys

from attacks.page import main

if __name__ == "__main__":
    sys.exit(main())
