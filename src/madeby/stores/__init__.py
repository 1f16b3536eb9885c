"""Where bundles are kept and found by name."""

from madeby.stores.builtin import DEFAULT_BUNDLE, builtin_names
from madeby.stores.lookup import open_bundle

__all__ = ["DEFAULT_BUNDLE", "builtin_names", "open_bundle"]
