"""What a picture's file says about who made it: one file a signal.

:func:`read_provenance` runs every reader of :data:`madeby.provenance.registry.READERS` on one picture.
"""

from madeby.provenance.material import ReadingOptions
from madeby.provenance.reading import read_provenance

__all__ = ["ReadingOptions", "read_provenance"]
