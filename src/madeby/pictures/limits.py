"""How large a picture may be before it is refused unread."""

from __future__ import annotations

from dataclasses import dataclass

from madeby.errors import ErrorCode, PictureError


@dataclass(frozen=True)
class Limits:
    """The largest file and the largest picture that will be decoded.

    ``max_bytes`` is the size of the file: 256 MiB holds an uncompressed 16-bit RGB picture of 40 megapixels
    and every camera's JPEG with room to spare. ``max_pixels`` is width times height: 200 million holds the
    largest pictures that phones and medium-format cameras take in one shot (16320 x 12240), and bounds the
    memory for one decoded picture at about 1.4 GB whatever the file says.
    """

    max_bytes: int = 256 * 1024 * 1024
    max_pixels: int = 200_000_000

    def check_bytes(self, count: int) -> None:
        """Refuse a file of ``count`` bytes that is over the limit.

        Raises:
            PictureError: ``too_large``.
        """
        if count > self.max_bytes:
            raise PictureError(
                ErrorCode.TOO_LARGE,
                f"the file has {count:,} bytes, more than the limit of {self.max_bytes:,}",
            )

    def check_pixels(self, width: int, height: int) -> None:
        """Refuse a picture of ``width`` by ``height`` pixels that is over the limit.

        Raises:
            PictureError: ``too_large``.
        """
        if width * height > self.max_pixels:
            raise PictureError(
                ErrorCode.TOO_LARGE,
                f"the picture has {width} x {height} = {width * height:,} pixels, "
                f"more than the limit of {self.max_pixels:,}; make it smaller first",
            )
