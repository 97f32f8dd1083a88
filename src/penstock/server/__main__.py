"""`python -m penstock.server`: the control plane as a process."""

import logging
import os
import sys

from penstock.server.main import main

if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stderr.flush()
    # Not by the usual way out, which waits for threads: one may be building an environment for minutes. What it does
    # is done again by the next server, which may only begin when this process, and its hold on the home, is gone.
    os._exit(code)
