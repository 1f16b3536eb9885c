"""Where pictures come from: whatever a user names becomes a stream of single pictures to read."""

from madeby.pictures.sources.expand import STANDARD_INPUT, expand
from madeby.pictures.sources.names import printable
from madeby.pictures.sources.reading import read
from madeby.pictures.sources.unit import SourceUnit

__all__ = ["STANDARD_INPUT", "SourceUnit", "expand", "printable", "read"]
