"""
The local receiver: takes what Ramp would take, keeps it in SQLite, and shows it on a page.

Needs the extra ``[local]``. `serve` is in `_serving`; nothing is imported here, so that asking for the command's help,
or reading a ledger for a report, loads no web server.
"""
