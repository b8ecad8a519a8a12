"""`python -m tokcodec` is the `tokcodec` command."""

import sys

from tokcodec.cli import main

sys.exit(main())
