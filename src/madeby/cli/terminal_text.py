"""Text from files and people, made safe to print with rich."""

from __future__ import annotations


def plain(text: object) -> str:
    """The text as it is: brackets are no markup, and control characters, which steer terminals, become ``\\xNN``."""
    from rich.markup import escape

    shown = "".join(
        character if character.isprintable() or character == "\n" else f"\\x{ord(character):02x}"
        for character in str(text)
    )
    return escape(shown)
