"""``models.json``: what a store holds, for readers that cannot list folders, as behind a web server."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationError

from madeby.errors import BundleError
from madeby.schema import Frozen

CONTENTS_FILE = "models.json"
CONTENTS_MAX_BYTES = 8 << 20


class Contents(Frozen):
    """The versions of every model in a store, by name."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    models: dict[str, tuple[str, ...]]

    def to_json(self) -> bytes:
        """The contents as they are published, readable by people."""
        return (self.model_dump_json(by_alias=True, indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes, where: str) -> Contents:
        """Read them back; ``where`` names them in the error.

        Raises:
            BundleError: they are not of ours.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError:
            raise BundleError(f"{where} is not a list of models; push one to the store again") from None
