"""What single releases of Python cannot do, with or without us."""

import sys

import openai
import pytest

needs_to_end_with_an_open_stream = pytest.mark.skipif(
    sys.version_info[:3] == (3, 13, 0) and openai.__version__.startswith("3."),
    reason="Python 3.13.0 crashes when it ends with an open stream of openai 3, with or without us",
)
