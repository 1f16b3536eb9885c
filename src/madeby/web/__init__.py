"""The server: REST under ``/api/v1``, the page, and their history. It knows the public API, not the rooms behind it."""
