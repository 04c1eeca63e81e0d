"""What the server writes to standard error: lines for people on a terminal, one JSON object a line anywhere else."""

import logging
import sys

import structlog

from tocsin.config import LogSection

QUIET = ("httpx2", "httpcore2", "asyncio", "uvicorn")

# Traces without the values of variables: those may hold a secret, or what an alert says.
TRACES = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


def set_up(section: LogSection) -> None:
    """Send our own log and the libraries' the same way."""
    terminal = sys.stderr.isatty()
    as_json = section.format == "json" or (section.format == "auto" and not terminal)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [TRACES, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=terminal, exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[section.level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    writer = logging.StreamHandler(sys.stderr)
    writer.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=section.level.upper(), handlers=[writer], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
