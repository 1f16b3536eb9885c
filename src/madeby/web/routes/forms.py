"""How OpenAPI describes the forms that the routes read for themselves, while they stream."""

from __future__ import annotations

from typing import Any

FILE: dict[str, Any] = {"type": "string", "contentMediaType": "application/octet-stream"}
URL: dict[str, Any] = {"type": "string", "examples": ["https://example.org/picture.jpg"]}

THRESHOLD_PROFILE: dict[str, Any] = {
    "type": "string",
    "enum": ["cautious", "balanced", "eager"],
    "description": "How readily a verdict leaves uncertain: 0.5%, 1% or 5% of photographs may be called ai; the "
    "server's own without.",
}


def form(properties: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    """The ``requestBody`` of a multipart form."""
    schema = {"type": "object", "properties": properties}
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema, "example": example}}}
    }


def pictures_form(**more: Any) -> dict[str, Any]:
    """The form of a request with any number of pictures."""
    properties = {
        "files": {"type": "array", "items": FILE, "description": "Pictures, in any number."},
        "urls": {"type": "array", "items": URL, "description": "Addresses of pictures, in any number."},
        **more,
    }
    return form(properties, {"urls": ["https://example.org/picture.jpg"]})


RECORD_EXAMPLE: dict[str, Any] = {
    "id": "9f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5",
    "created": "2026-11-22T09:30:00.123456Z",
    "index": 0,
    "result": {
        "schema": 1,
        "source": "harbour.jpg",
        "status": "ok",
        "error": None,
        "picture": {
            "format": "JPEG",
            "width": 1200,
            "height": 900,
            "bytes": 311220,
            "sha256": "9a27" * 16,
            "jpeg_quality": 90,
            "chroma_subsampling": "4:2:0",
            "perceptual_hash": "c3d1e0f0783c1e0f",
        },
        "verdict": "uncertain",
        "probability": 0.71,
        "reason": "pixel evidence between the thresholds for human and ai; no provenance",
        "signals": [
            {
                "name": "detector",
                "points_to": None,
                "strength": "none",
                "reason": "pixel evidence between the thresholds",
                "detail": {"logit": 0.31, "crops": 16},
            }
        ],
        "warnings": [],
        "model": {"name": "wild-lite", "version": "0.1.0", "sha256": "6fe1" * 16},
        "timing_ms": {"decode": 8.2, "provenance": 3.1, "detector": 41.0},
    },
    "feedback": None,
    "picture_kept": False,
}
