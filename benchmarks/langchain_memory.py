"""
Whether a long run keeps memory: `python benchmarks/langchain_memory.py`. Fails if it does.

20,000 calls of LangChain's, one in a hundred of them cancelled, whose records go to a receiver in another process. The
resident memory after the first 2,000 is what is compared with: by then everything is loaded and every bound is reached
that a few thousand calls can reach.
"""

import asyncio
import gc
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]

CALLS: Final = 20_000
STEP: Final = 2_000

ALLOWED_KIB: Final = 4 * 1024
"""Growth over 18,000 calls: 230 bytes a call. The ids of records that are not to be repeated take part of it."""

LEFT: Final = 4
"""A run that was dropped a moment ago, with the runs that it is part of."""

SECONDS: Final = 60


def measure() -> int:
    """Make the calls, in a process that is instrumented. Returns 1 if memory grows, or something of ours is kept."""
    from tests.matrix.long_run import ask, sizes

    import ramp_tracing

    async def step(first: int) -> None:
        for number in range(first, first + STEP):
            await ask(number)

    ramp_tracing.instrument(max_batch_spans=500)
    figures: list[int] = []
    print("| calls | resident memory, KiB | kept |\n| --- | --- | --- |")
    with asyncio.Runner() as runner:
        for first in range(0, CALLS, STEP):
            runner.run(step(first))
            ramp_tracing.flush(SECONDS)
            gc.collect()
            figures.append(resident_kib())
            print(f"| {first + STEP} | {figures[-1]} | {sizes()} |", flush=True)
    stats = ramp_tracing.stats()
    grown, left = max(figures[1:]) - figures[0], sum(sizes().values())
    print(f"\n{grown} KiB more than after the first {STEP}, {ALLOWED_KIB} allowed; {left} calls kept; {stats}")
    return 0 if grown <= ALLOWED_KIB and left <= LEFT and stats.acknowledged >= CALLS - 1 else 1


def resident_kib() -> int:
    """What this process has in memory now. Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def main() -> int:
    """Receive, and measure in a process of its own."""
    from ramp_tracing.testing import FakeRamp

    with FakeRamp() as ramp, tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "RAMP_API_KEY": "bench-key",
            "RAMP_BASE_URL": ramp.url,
            "RAMP_TRACING_STATE_DIR": folder,
            "LANGSMITH_TRACING": "false",
        }
        return subprocess.run([sys.executable, __file__, "measure"], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
    sys.exit(measure() if sys.argv[1:] == ["measure"] else main())
