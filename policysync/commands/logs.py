"""The log on stderr. Secrets are masked in messages and in tracebacks alike."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from policysync.secret import redact

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)

_TRACEBACK = logging.Formatter()


class RedactingFilter(logging.Filter):
    """Masks secrets in log records, their tracebacks included; belongs on every handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        if record.exc_info:
            # A formatter takes the text that is already there instead of making its own.
            record.exc_text = redact(_TRACEBACK.formatException(record.exc_info))
        return True


class TextLines(logging.Formatter):
    """One line a record, for people."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class JsonLines(logging.Formatter):
    """One JSON object a record, for machines; times are UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redact(json.dumps(line, ensure_ascii=False))


def start_logging(verbose: int, log_format: str) -> None:
    """Send the log to stderr; `verbose` counts the `-v` of the command line."""
    out = logging.StreamHandler(sys.stderr)
    out.addFilter(RedactingFilter())
    out.setFormatter(JsonLines() if log_format == "json" else TextLines("%(levelname)s %(name)s: %(message)s"))
    level = _LEVELS[min(verbose, len(_LEVELS) - 1)]
    # What libraries log for their makers holds headers and bodies, secrets among them, before anybody here knows them.
    logging.basicConfig(level=logging.WARNING, handlers=[out], force=True)
    logging.getLogger("policysync").setLevel(level)
