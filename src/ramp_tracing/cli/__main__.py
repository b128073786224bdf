"""``python -m ramp_tracing.cli``."""

from . import main

main()
