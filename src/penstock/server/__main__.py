"""`python -m penstock.server`: the control plane as a process."""

from penstock.server.main import main

if __name__ == "__main__":
    raise SystemExit(main())
