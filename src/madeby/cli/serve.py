"""``madeby serve``: the page and the REST API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from madeby.cli.profile_flag import PROFILE_HELP, Profile
from madeby.cli.provider_flag import PROVIDER_HELP, Provider
from madeby.errors import MadebyError


def serve(
    host: Annotated[str, typer.Option(envvar="MADEBY_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar=["MADEBY_PORT", "PORT"], min=0, max=65535, help="Port; 0 for any that is free.")
    ] = 8000,
    model: Annotated[
        str | None,
        typer.Option(
            envvar="MADEBY_MODEL",
            help="Name of a model, the folder of a bundle or a run, or a URL in a store, which is then watched.",
        ),
    ] = None,
    threshold_profile: Annotated[
        Profile, typer.Option("--threshold-profile", envvar="MADEBY_THRESHOLD_PROFILE", help=PROFILE_HELP)
    ] = "balanced",
    provider: Annotated[Provider, typer.Option("--provider", envvar="MADEBY_PROVIDER", help=PROVIDER_HELP)] = "cpu",
    data_folder: Annotated[
        Path | None, typer.Option(envvar="MADEBY_DATA", help="Where history, keys and kept pictures lie.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(envvar="MADEBY_DATABASE", help="SQLite file or PostgreSQL URL of the history."),
    ] = None,
    keep_pictures: Annotated[
        bool, typer.Option("--keep-pictures", envvar="MADEBY_KEEP_PICTURES", help="Keep the pictures, too.")
    ] = False,
    retention_days: Annotated[
        float | None,
        typer.Option(envvar="MADEBY_RETENTION_DAYS", help="Delete results and pictures after so many days."),
    ] = None,
    retention_count: Annotated[
        int | None,
        typer.Option(envvar="MADEBY_RETENTION_COUNT", min=1, help="Keep only as many of the newest results."),
    ] = None,
    auth: Annotated[
        bool | None,
        typer.Option("--auth/--no-auth", help="Ask for API keys; by default everywhere but on a loopback address."),
    ] = None,
    rate_per_minute: Annotated[
        int, typer.Option(envvar="MADEBY_RATE_PER_MINUTE", min=0, help="Pictures a minute and key; 0 for no limit.")
    ] = 600,
    workers: Annotated[
        int | None, typer.Option(envvar="MADEBY_WORKERS", min=1, help="Pictures at a time; one a core by default.")
    ] = None,
    max_pictures: Annotated[int, typer.Option(min=1, help="Most pictures of one request.")] = 100,
    max_file_mb: Annotated[int, typer.Option(min=1, help="Most MiB of one file.")] = 64,
    max_body_mb: Annotated[int, typer.Option(min=1, help="Most MiB of one request.")] = 256,
    max_megapixels: Annotated[int, typer.Option(min=1, help="Most megapixels of one picture.")] = 100,
    max_memory_mb: Annotated[int, typer.Option(min=1, help="Most MiB of uploads in memory at a time.")] = 512,
    max_requests: Annotated[int, typer.Option(min=1, help="Most uploads under way at a time.")] = 64,
    allowed_host: Annotated[
        list[str] | None, typer.Option(help="Host name that this server goes by; others are refused. Repeatable.")
    ] = None,
    cors_origin: Annotated[
        list[str] | None, typer.Option(help="Origin whose pages may use the API, as https://example.org. Repeatable.")
    ] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Let URLs lead to private, loopback and link-local addresses.")
    ] = False,
) -> None:
    """Serve the page and the REST API; Ctrl-C ends it once the requests under way are answered.

    Keys for others come from `madeby keys create NAME`, or from MADEBY_API_KEYS (several separated by commas).
    """
    import os

    import madeby

    if auth is None and os.environ.get("MADEBY_NO_AUTH", "").lower() in {"1", "true", "yes"}:
        auth = False
    more: dict[str, object] = {} if workers is None else {"workers": workers}
    keys = [key.strip() for key in os.environ.get("MADEBY_API_KEYS", "").split(",") if key.strip()]
    if database is not None and not database.strip():
        database = None  # set but empty, as process files leave it
    if model is not None and not model.strip():
        model = None
    if retention_days is not None and retention_days <= 0:
        raise MadebyError("--retention-days must be more than 0")
    mebibyte = 1 << 20
    madeby.serve(
        host,
        port,
        model=model,
        threshold_profile=threshold_profile,
        provider=provider,
        data_folder=data_folder,
        database=database,
        keep_pictures=keep_pictures,
        retention_days=retention_days,
        retention_count=retention_count,
        auth=auth,
        api_keys=keys,
        started=lambda address: typer.echo(f"madeby serves at {address} (Ctrl-C ends it)", err=True),
        rate_per_minute=rate_per_minute,
        max_pictures=max_pictures,
        max_file_bytes=max_file_mb * mebibyte,
        max_body_bytes=max_body_mb * mebibyte,
        max_pixels=max_megapixels * 1_000_000,
        max_bytes_under_way=max_memory_mb * mebibyte,
        max_requests=max_requests,
        allowed_hosts=tuple(allowed_host or ()),
        cors_origins=tuple(cors_origin or ()),
        allow_private=allow_private,
        **more,
    )
