"""Names by which AI picture services and tools sign what they make.

A name counts only in a field that says what made the picture (software, creator tool, claim generator, credit);
never in captions, titles or comments, where people merely talk about such tools.
"""

from __future__ import annotations

import re
from functools import cache

SERVICES: tuple[tuple[str, str], ...] = (
    # (pattern in lower case, the service as results name it)
    (r"\bmidjourney\b", "Midjourney"),
    (r"\bdall.?e\b", "OpenAI DALL-E"),
    (r"\bchatgpt\b|\bgpt-4o\b|\bgpt-image\b", "OpenAI ChatGPT"),
    (r"\bopenai\b", "OpenAI"),
    (r"\bbing image creator\b|\bmicrosoft designer\b|\bmicrosoft_responsible_ai\b", "Microsoft"),
    (r"\badobe firefly\b", "Adobe Firefly"),
    (r"\bmade with google ai\b|\bgoogle generative ai\b|\bcreated by google ai\b", "Google AI"),
    (r"\bgoogle (?:imagen|gemini)\b|\bimagen ?[2-9]|\bgemini[ -][1-9]|\bnano[\s-]?banana\b", "Google Gemini/Imagen"),
    (r"\bimagined with ai\b|\bmeta ai\b", "Meta AI"),
    (r"\bstable[\s-]?diffusion\b|\bsdxl\b|\bstability ai\b|\bdreamstudio\b", "Stable Diffusion"),
    (r"\bflux\.[12]\b|\bblack forest labs\b", "FLUX"),
    (r"\bideogram(?: ai)?\b", "Ideogram"),
    (r"\bleonardo\.?ai\b", "Leonardo AI"),
    (r"\brecraft\b", "Recraft"),
    (r"\brunwayml\b|\brunway gen", "Runway"),
    (r"\bnovelai\b", "NovelAI"),
    (r"\binvokeai\b", "InvokeAI"),
    (r"\bcomfyui\b", "ComfyUI"),
    (r"\bautomatic1111\b|\bsd[\s-]?webui\b", "AUTOMATIC1111"),
    (r"\bsd\.?next\b", "SD.Next"),
    (r"\bfooocus\b", "Fooocus"),
    (r"\bswarmui\b|\bstableswarm\b", "SwarmUI"),
    (r"\bdraw things\b", "Draw Things"),
    (r"\beasy diffusion\b", "Easy Diffusion"),
    (r"\bdiffusionbee\b", "DiffusionBee"),
    (r"\bgrok\b|\bxai aurora\b", "xAI Grok"),
    (r"\bseedream\b|\bdoubao\b|\bjimeng\b", "ByteDance"),
    (r"\bkling ?ai\b", "Kling AI"),
    (r"\bcanva magic\b", "Canva Magic Media"),
    (r"\bnightcafe\b", "NightCafe"),
    (r"\bcraiyon\b", "Craiyon"),
)


@cache
def _compiled() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The patterns, compiled when a picture first names a maker."""
    return tuple((re.compile(pattern), name) for pattern, name in SERVICES)


def service_in(text: str) -> str | None:
    """The AI service or tool that a maker field names; ``None`` where it names none that we know."""
    lowered = text[:2000].lower()
    return next((name for pattern, name in _compiled() if pattern.search(lowered)), None) if lowered else None
