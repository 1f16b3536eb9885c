"""What a server is told at its start."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from madeby.errors import MadebyError
from madeby.schema import Frozen
from madeby.web.data_folder import data_folder_of

MEBIBYTE = 1 << 20
LONGEST_DAYS = 100 * 366.0


class Settings(Frozen):
    """All settings of a server; ``docs/serve.md`` says what each is for.

    ``auth`` None demands keys unless the server listens on a loopback address and was given none.
    ``rate_per_minute`` counts pictures and other requests, for each key (each client address where there are no
    keys); 0 is no limit. ``max_pixels`` bounds one picture, ``max_file_bytes`` one file, ``max_body_bytes`` one
    request, ``max_bytes_under_way`` what all requests together hold in memory, ``max_requests`` how many are under
    way.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    model: str | None = None
    threshold_profile: str = "balanced"
    provider: str = "cpu"
    data_folder: Path = Field(default_factory=data_folder_of)
    database: str | None = None
    keep_pictures: bool = False
    retention_days: float | None = Field(default=None, gt=0, le=LONGEST_DAYS)
    retention_count: int | None = Field(default=None, ge=1)
    auth: bool | None = None
    api_keys: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    allow_private: bool = False
    watch_seconds: float = Field(default=300.0, ge=1.0)
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    max_pictures: int = Field(default=100, ge=1)
    max_file_bytes: int = Field(default=64 * MEBIBYTE, ge=1)
    max_body_bytes: int = Field(default=256 * MEBIBYTE, ge=1)
    max_pixels: int = Field(default=100_000_000, ge=1)
    max_requests: int = Field(default=64, ge=1)
    max_bytes_under_way: int = Field(default=512 * MEBIBYTE, ge=1)
    rate_per_minute: int = Field(default=600, ge=0)
    upload_seconds: float = Field(default=300.0, gt=0)
    idle_seconds: float = Field(default=30.0, gt=0)
    picture_seconds: float = Field(default=60.0, gt=0)
    fetch_seconds: float = Field(default=20.0, gt=0)

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """Browsers send scheme, host and port alone, in small letters: anything else would never match."""
        for origin in origins:
            parts = urlsplit(origin)
            if not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}".lower():
                raise ValueError(f"{origin!r} is no origin: write it as https://example.org, without a / at its end")
        return origins

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        """Ports do not count when hosts are compared: a name with one would never match."""
        for host in hosts:
            if "/" in host or "[" in host or host.count(":") == 1:
                raise ValueError(f"{host!r} is no host: write its name or number alone, as example.org or ::1")
        return hosts

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def wants_keys(self) -> bool:
        """Whether requests need an API key."""
        return self.auth if self.auth is not None else bool(self.api_keys) or not self.on_loopback

    @property
    def place_of_history(self) -> str:
        """The database's URL, or the path of the SQLite file in the data folder."""
        return self.database or str(self.data_folder / "history.sqlite")

    @property
    def pictures_folder(self) -> Path | None:
        """Where pictures lie; None where none are kept and none were kept before, which the retention still removes."""
        folder = self.data_folder / "pictures"
        return folder if self.keep_pictures or folder.is_dir() else None

    @property
    def forgets(self) -> bool:
        """Whether there is something to remove from time to time: what the retention says, or unneeded pictures."""
        kept = self.pictures_folder is not None
        return kept or self.retention_days is not None or self.retention_count is not None

    def made_folder(self) -> Path:
        """The data folder, made if it was not there; only its owner may enter.

        Raises:
            MadebyError: it cannot be made.
        """
        try:
            self.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise MadebyError(
                f"the data folder {self.data_folder} cannot be made ({error.strerror}); name another with --data-folder"
            ) from None
        return self.data_folder
