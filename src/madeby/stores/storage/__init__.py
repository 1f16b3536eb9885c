"""Places that hold bundles: folders, web servers, and object stores through fsspec."""

from madeby.stores.storage.address import storage_at
from madeby.stores.storage.storage import NotThereError, Storage, UnreachableError, read_small

__all__ = ["NotThereError", "Storage", "UnreachableError", "read_small", "storage_at"]
