"""
gunicorn with workers that are forked from a parent which has loaded the application (`--preload`) or not.

    pip install gunicorn "ramp-tracing[openai]"
    gunicorn wsgi:application --chdir examples/fleets --config examples/fleets/gunicorn_conf.py

Nothing has to be done in `post_fork`: a forked worker starts with a file of its own and sends for itself.
"""

import os

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = 2
preload_app = True

# Longer than the two seconds that the end of a process may take to send what waits (`exit_timeout_seconds`).
graceful_timeout = 30
