"""What a picture's file says about who made it: one file a signal.

:func:`read_provenance` runs every reader of :data:`madeby.provenance.registry.READERS` on one picture.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from madeby.provenance.material import ReadingOptions
from madeby.provenance.reading import read_provenance

__all__ = ["ReadingOptions", "read_provenance"]


class _Room(ModuleType):
    """This room and the public verb ``madeby.provenance(...)`` share a name: calling the room calls the verb.

    Without it, importing the room anywhere would replace the function as an attribute of the package.
    """

    def __call__(self, *sources: Any, **options: Any) -> Any:
        return importlib.import_module("madeby.api.pictures").provenance(*sources, **options)


sys.modules[__name__].__class__ = _Room
