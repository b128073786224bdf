"""What `ramp-tracing check` finds on a machine, each with what to do about it. Nothing here changes anything."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from .._autostart import SITE
from .._config import Config, WireProtocol
from .._delivery import ConnectionReport, test_connection
from .._journal import SpoolStatus, destination_name, spool_of, spools_in, state_directories
from ..integrations import REGISTRY

Weight = Literal["good", "note", "warning", "problem"]
"""Whether all is well, something is good to know, something should be looked at, or spend is or will be lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One thing that was looked at.

    Attributes:
        about: What, in a word.
        weight: How much it matters.
        text: What is so.
        advice: What to do; empty where there is nothing to do.
    """

    about: str
    weight: Weight
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """
    What findings are made from.

    Attributes:
        config: What is configured.
        report: How the connection test went.
        environ: The environment.
        folder: Where the command was started.
    """

    config: Config
    report: ConnectionReport
    environ: Mapping[str, str]
    folder: Path


INSTRUMENTATIONS: Final = (
    "opentelemetry-instrumentation-openai",
    "opentelemetry-instrumentation-openai-v2",
    "openinference-instrumentation-openai",
    "openinference-instrumentation-langchain",
    "openinference-instrumentation-litellm",
    "openlit",
    "logfire",
    "langfuse",
    "ddtrace",
    "braintrust",
)
"""What hooks the same clients. Each sees every call once, as we do."""

OTLP_VARIABLES: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

LITELLM_FILES: Final = ("config.yaml", "litellm_config.yaml", "proxy_config.yaml")

BUILT_IN: Final = re.compile(
    r"""^\s*(?:success_callback|failure_callback|callbacks)\s*:\s*(?:\[[^\]]*?["']?\bramp\b["']?\s*[,\]]|["']?ramp["']?\s*$|(?:\n\s*-.*)*?\n\s*-\s*["']?ramp["']?\s*$)""",
    re.MULTILINE,
)
"""LiteLLM's own callback for Ramp, in a line, a list or a list of lines of a proxy's configuration."""

MAX_FILE_BYTES: Final = 1_000_000

OLD_SECONDS: Final = 3_600.0
"""Records are sent within seconds; after so long something keeps them."""

CLOCK_SECONDS: Final = 60.0
"""Within that, a clock that is off puts no call into another day."""

BYTES_TO_SPARE: Final = 512 * 1024 * 1024
"""Twice what the journal may take."""


def findings(circumstances: Circumstances) -> list[Finding]:
    """Everything that was found, in the order of `LOOKS`."""
    return [found for look in LOOKS for found in look(circumstances)]


ENDPOINTS: Final[Mapping[str, tuple[str, WireProtocol]]] = {
    "/ai-usage/openrouter": ("OTLP", "http/json"),
    "/ai-usage/unified": ("unified events", "ramp/unified"),
}
"""How the addresses of Ramp's two endpoints end: what each takes, and the `protocol` for it."""

NOT_LET_IN: Final = frozenset({401, 403})


def _endpoint(circumstances: Circumstances) -> Iterator[Finding]:
    """Which of Ramp's two endpoints the key is for. The other one is asked only where this one does not take it."""
    config, status = circumstances.config, circumstances.report.status
    ours = next((each for each in ENDPOINTS if config.base_url.endswith(each)), None)
    if ours is None:
        return
    takes, protocol = ENDPOINTS[ours]
    if (config.protocol == "ramp/unified") != (protocol == "ramp/unified"):
        text = f"RAMP_BASE_URL ends in {ours}, which takes {takes}, but `protocol` is {config.protocol}"
        advice = f"Set RAMP_TRACING_PROTOCOL={protocol}, or take RAMP_BASE_URL away."
        yield Finding(about="endpoint", weight="problem", text=text, advice=advice)
    elif circumstances.report.ok:
        yield Finding(about="endpoint", weight="good", text=f"The key is for {ours} ({takes})")
    elif status in NOT_LET_IN:
        yield _other_endpoint(config, ours)


def _other_endpoint(config: Config, ours: str) -> Finding:
    other = next(each for each in ENDPOINTS if each != ours)
    takes, protocol = ENDPOINTS[other]
    address = config.base_url.removesuffix(ours) + other
    if test_connection(replace(config, base_url=address, protocol=protocol)).ok:
        text = f"The key is not for {ours}, but for {other} ({takes})"
        advice = f"Set RAMP_TRACING_PROTOCOL={protocol} and RAMP_BASE_URL={address}."
        return Finding(about="endpoint", weight="problem", text=text, advice=advice)
    text, advice = f"Neither {ours} nor {other} takes the key", "Make a new one with the scope ai_usage:write."
    return Finding(about="endpoint", weight="problem", text=text, advice=advice)


def _libraries(_: Circumstances) -> Iterator[Finding]:
    installed = [(each, found) for each in REGISTRY.values() if (found := installed_version(each.distribution))]
    if not installed:
        advice = "Install what your application uses, or run this with the application's own Python."
        yield Finding(about="libraries", weight="warning", text="None of them is installed here.", advice=advice)
    for library, found in installed:
        name, untested = library.distribution, library.untested
        if numbers(found) < numbers(library.oldest):
            advice = f"Update it: pip install 'ramp-tracing[{library.name}]'"
            yield Finding(about="libraries", weight="warning", text=f"{name} {found} is not supported", advice=advice)
        elif untested is not None and numbers(found) >= numbers(untested):
            text = f"{name} {found} is newer than what is tested, which ends before {untested}"
            yield Finding(about="libraries", weight="note", text=text, advice="Look whether calls arrive.")
        else:
            yield Finding(about="libraries", weight="good", text=f"{name} {found} is supported")


def _instrumented(circumstances: Circumstances) -> Iterator[Finding]:
    if SITE in circumstances.environ.get("PYTHONPATH", "").split(os.pathsep):
        text = "Every Python that starts in this environment is instrumented"
        yield Finding(about="instrumented", weight="good", text=text)
    else:
        advice = "Call ramp_tracing.instrument() in it, or start it with `ramp-tracing run -- …`."
        text = "Programs are instrumented only if they do it themselves"
        yield Finding(about="instrumented", weight="note", text=text, advice=advice)


def _other_instrumentations(circumstances: Circumstances) -> Iterator[Finding]:
    others = [name for name in INSTRUMENTATIONS if installed_version(name) is not None]
    receiver = urlsplit(circumstances.config.base_url).hostname
    for variable in OTLP_VARIABLES:
        if others and receiver and urlsplit(circumstances.environ.get(variable, "")).hostname == receiver:
            text = f"{variable} sends spans of {', '.join(others)} to the same receiver: calls are counted twice"
            advice = f"Point {variable} at another backend, or unset it."
            yield Finding(about="double", weight="problem", text=text, advice=advice)
            return
    if others:
        text = f"{', '.join(others)}: hooks the same clients, reports elsewhere; neither sees less for it"
        yield Finding(about="double", weight="note", text=text)


def _built_in_callback(circumstances: Circumstances) -> Iterator[Finding]:
    named = circumstances.environ.get("CONFIG_FILE_PATH")
    paths = [Path(named)] if named else [circumstances.folder / name for name in LITELLM_FILES]
    for path in paths:
        if BUILT_IN.search(_beginning_of(path)):
            text = f'{path} switches LiteLLM\'s own "ramp" callback on: every call is counted twice'
            advice = 'Take "ramp" out of it; `ramp_tracing.litellm_logger` reports the same, and more.'
            yield Finding(about="double", weight="problem", text=text, advice=advice)


def _broadcast(circumstances: Circumstances) -> Iterator[Finding]:
    environ = circumstances.environ
    if environ.get("OPENROUTER_API_KEY") or "openrouter.ai" in environ.get("OPENAI_BASE_URL", ""):
        text = "Calls go to OpenRouter, which can report them to Ramp itself (Broadcast)"
        advice = "Have one of the two report: if Broadcast to Ramp is on at OpenRouter, calls count twice."
        yield Finding(about="double", weight="warning", text=text, advice=advice)


def _journal(circumstances: Circumstances) -> Iterator[Finding]:
    try:
        places = [place for place in state_directories(circumstances.config.state_dir) if place.is_dir()]
        found = [spool_of(spool) for place in places for spool in spools_in(place)]
    except OSError as error:
        advice = "Make it readable for this user, or name another one with RAMP_TRACING_STATE_DIR."
        yield Finding(about="journal", weight="problem", text=f"It cannot be read: {error}", advice=advice)
        return
    config = circumstances.config
    ours = destination_name(config.base_url, config.account)
    for each in found:
        yield from _spool(each, is_ours=each.directory.name == ours)
    if not any(each.waiting or each.dead or each.doubtful for each in found):
        yield Finding(about="journal", weight="good", text="Nothing waits, and nothing was refused")


def _spool(spool: SpoolStatus, *, is_ours: bool) -> Iterator[Finding]:
    target = spool.address or spool.directory
    if refused := spool.dead + spool.doubtful:
        text = f"{refused} records for {target} were refused and are kept as dead letters"
        advice = "`ramp-tracing spool dead` says why, `replay` has them sent again."
        yield Finding(about="journal", weight="problem", text=text, advice=advice)
    if not spool.waiting or spool.oldest is None:
        return
    began = datetime.fromtimestamp(spool.oldest / 1e9, UTC)
    text = f"{spool.waiting} records for {target} wait, the oldest since {began:%Y-%m-%d %H:%M} UTC"
    if not is_ours and not any(each.alive for each in spool.segments):
        text = f"{text}, and are not for the key and the address that are configured"
        advice = f"If those were corrected since: `ramp-tracing spool send --from {spool.directory.name}`."
        yield Finding(about="journal", weight="warning", text=text, advice=advice)
    elif time.time() - began.timestamp() > OLD_SECONDS:
        yield Finding(about="journal", weight="warning", text=text, advice="Send them: `ramp-tracing spool send`.")
    else:
        yield Finding(about="journal", weight="note", text=text)


def _permissions(circumstances: Circumstances) -> Iterator[Finding]:
    wished = state_directories(circumstances.config.state_dir)
    usable = next((place for place in wished if _is_writable(place)), None)
    if usable is None:
        text = f"None of {', '.join(map(str, wished))} can be written to: records are in memory only, or refused"
        advice = "Name a directory of your own with RAMP_TRACING_STATE_DIR."
        yield Finding(about="permissions", weight="problem", text=text, advice=advice)
        return
    if usable != wished[0]:
        text = f"{wished[0]} cannot be written to: records wait in {usable} instead"
        advice = "Make it writable for this user, or name another one with RAMP_TRACING_STATE_DIR."
        yield Finding(about="permissions", weight="warning", text=text, advice=advice)
    free = _free_bytes(usable)
    if free < BYTES_TO_SPARE:
        text = f"There are only {free // 2**20} MiB left where records wait ({usable})"
        yield Finding(about="permissions", weight="warning", text=text, advice="Make room, or name another disk.")
    else:
        yield Finding(about="permissions", weight="good", text=f"Records can wait in {usable}")


def _clock(circumstances: Circumstances) -> Iterator[Finding]:
    ahead = circumstances.report.clock_ahead_seconds
    if ahead is None:
        return
    if abs(ahead) < CLOCK_SECONDS:
        yield Finding(about="clock", weight="good", text="The receiver's clock says the same")
        return
    direction = "ahead of" if ahead > 0 else "behind"
    text = f"This machine's clock is {abs(ahead):.0f} s {direction} the receiver's: calls get wrong times"
    yield Finding(about="clock", weight="warning", text=text, advice="Set it: NTP, or the host of this container.")


def _proxy(circumstances: Circumstances) -> Iterator[Finding]:
    parts = urlsplit(circumstances.config.base_url)
    # Loaded here: it brings the standard library's HTTP.
    from .._delivery._proxy import ProxyError, proxy_for

    try:
        proxy = proxy_for(parts.hostname or "", parts.port or 443) if parts.scheme == "https" else None
    except ProxyError as wrong:
        text, advice = f"HTTPS_PROXY cannot be used: {wrong}", "Write it as http://HOST:PORT, or unset it."
        yield Finding(about="proxy", weight="problem", text=text, advice=advice)
        return
    if proxy is not None:
        text = f"Records go through the proxy {proxy.host}:{proxy.port}"
        yield Finding(about="proxy", weight="note", text=text, advice=f"If not: NO_PROXY={parts.hostname}")


LOOKS: Final[Iterable[Callable[[Circumstances], Iterator[Finding]]]] = (
    _endpoint,
    _libraries,
    _instrumented,
    _other_instrumentations,
    _built_in_callback,
    _broadcast,
    _journal,
    _permissions,
    _clock,
    _proxy,
)


def installed_version(distribution: str) -> str | None:
    """The version that is installed for this Python; nothing is imported for it."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def numbers(text: str) -> tuple[int, ...]:
    """``"1.109.1rc2"`` → ``(1, 109, 1)``."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _beginning_of(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(MAX_FILE_BYTES)
    except OSError:
        return ""


def _is_writable(place: Path) -> bool:
    """Whether it is there and may be written to, or may be made."""
    nearest = next((each for each in (place, *place.parents) if each.exists()), None)
    return nearest is not None and nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def _free_bytes(place: Path) -> int:
    nearest = next(each for each in (place, *place.parents) if each.exists())
    disk = os.statvfs(nearest)
    return disk.f_bavail * disk.f_frsize
