"""Backends of other people's making, in their own processes: `nox -s backend` installs and starts them."""
