"""Where the structured log goes: to standard error, as JSON lines for a service and as text for a person."""

import logging
import sys

import structlog


def for_machines() -> None:
    """One JSON object a line."""
    _configure([structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])


def for_people() -> None:
    """Text; only what needs attention."""
    _configure([structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())], logging.WARNING)


def _configure(last: list[structlog.typing.Processor], level: int = logging.INFO) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
