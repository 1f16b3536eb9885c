"""One layout for every slide: title, body, footer with the slide's number; text that always fits its box."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree
from PIL import Image, ImageFont
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from madeby.plots.style import LIGHT
from madeby.reporting.judging.judgement import Judgement, Tone

WIDTH, HEIGHT = 13.333, 7.5
MARGIN = 0.7
TOP = 1.75
FOOT = 6.95
FONT = "Calibri"
LARGEST, SMALLEST = 20, 12
LINE = 1.22
MARKS: dict[Tone, str] = {"good": "✓", "bad": "!", "open": "?", "plain": "•"}
COLOURS: dict[Tone, str] = {"good": LIGHT.accent, "bad": "#a63d00", "open": "#6b5b00", "plain": LIGHT.muted}


@dataclass(frozen=True)
class Box:
    """A place on a slide, inches."""

    left: float
    top: float
    width: float
    height: float


WHOLE = Box(MARGIN, TOP, WIDTH - 2 * MARGIN, FOOT - TOP - 0.15)
LEFT = Box(MARGIN, TOP, 5.55, WHOLE.height)
RIGHT = Box(6.6, TOP, WIDTH - MARGIN - 6.6, WHOLE.height)


class Deck:
    """A presentation in the making."""

    def __init__(self, about: str) -> None:
        """``about`` stands in every footer."""
        self.presentation = Presentation()
        self.presentation.slide_width, self.presentation.slide_height = Inches(WIDTH), Inches(HEIGHT)
        self.presentation.core_properties.title = about
        self._about = about

    def slide(self, title: str) -> Any:
        """A new slide under a title of at most two lines."""
        slide = self._blank(title, Box(MARGIN, 0.42, WIDTH - 2 * MARGIN, 1.0), 28)
        line = slide.shapes.add_shape(1, Inches(MARGIN), Inches(1.45), Inches(1.1), Inches(0.05))
        _paint(line, LIGHT.accent)
        self._foot(slide)
        return slide

    def cover(self, title: str, lines: Sequence[str]) -> None:
        """The first slide."""
        slide = self._blank(title, Box(MARGIN, 2.1, WIDTH - 2 * MARGIN, 1.5), 44)
        bar = slide.shapes.add_shape(1, Inches(0), Inches(0), Inches(0.28), Inches(HEIGHT))
        _paint(bar, LIGHT.accent)
        write(slide, lines, Box(MARGIN, 3.75, 10.8, 2.4), largest=22)

    def save(self, out: Path) -> None:
        """Write the file."""
        self.presentation.save(str(out))

    def _blank(self, title: str, box: Box, size: int) -> Any:
        slide = self.presentation.slides.add_slide(self.presentation.slide_layouts[5])
        shape = slide.shapes.title
        _put(shape, box)
        frame = shape.text_frame
        frame.word_wrap = True
        frame.vertical_anchor = MSO_ANCHOR.BOTTOM if size < 40 else MSO_ANCHOR.MIDDLE
        for side in ("margin_left", "margin_right", "margin_top", "margin_bottom"):
            setattr(frame, side, 0)
        while size > 18 and _height([title], box.width, size, bold=True) > box.height:
            size -= 1
        frame.text = title
        paragraph = frame.paragraphs[0]
        paragraph.alignment = PP_ALIGN.LEFT
        style(paragraph.runs[0], size, LIGHT.ink, bold=True)
        return slide

    def _foot(self, slide: Any) -> None:
        about = slide.shapes.add_textbox(Inches(MARGIN), Inches(FOOT), Inches(9), Inches(0.3))
        _plain(about.text_frame)
        run = about.text_frame.paragraphs[0].add_run()
        run.text = self._about
        style(run, 11, LIGHT.muted)
        number = slide.shapes.add_textbox(Inches(WIDTH - MARGIN - 1), Inches(FOOT), Inches(1), Inches(0.3))
        _plain(number.text_frame)
        paragraph = number.text_frame.paragraphs[0]
        paragraph.alignment = PP_ALIGN.RIGHT
        field = etree.SubElement(
            paragraph._p, qn("a:fld"), id="{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}", type="slidenum"
        )
        properties = etree.SubElement(field, qn("a:rPr"), lang="en-GB", sz="1100")
        fill = etree.SubElement(etree.SubElement(properties, qn("a:solidFill")), qn("a:srgbClr"))
        fill.set("val", LIGHT.muted[1:])
        etree.SubElement(field, qn("a:t")).text = str(len(self.presentation.slides))


def tell(slide: Any, judgements: Sequence[Judgement], box: Box, largest: int = LARGEST) -> None:
    """Judgements as a list with their marks; those that do not fit at a readable size are left to the page."""
    write(slide, [one.text for one in judgements], box, largest=largest, tones=[one.tone for one in judgements])


def write(
    slide: Any, lines: Sequence[str], box: Box, *, largest: int = LARGEST, tones: Sequence[Tone] | None = None
) -> None:
    """Paragraphs in the largest size that fits the box; with tones each has its mark."""
    kept, size = list(lines), largest
    indent = 0.32 if tones else 0.0
    while kept and _height(kept, box.width - indent, size) > box.height:
        if size > SMALLEST:
            size -= 1
        else:
            kept.pop()
    shape = slide.shapes.add_textbox(Inches(box.left), Inches(box.top), Inches(box.width), Inches(box.height))
    frame = shape.text_frame
    _plain(frame)
    for place, text in enumerate(kept):
        paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
        paragraph.space_after = Pt(size * 0.5)
        if tones:
            properties = paragraph._p.get_or_add_pPr()
            properties.set("marL", str(Inches(indent)))
            properties.set("indent", str(-Inches(indent)))
            _tab_at(properties, Inches(indent))
            mark = paragraph.add_run()
            mark.text = f"{MARKS[tones[place]]}\t"
            style(mark, size, COLOURS[tones[place]], bold=True)
        run = paragraph.add_run()
        run.text = text
        style(run, size, LIGHT.ink)


def picture(slide: Any, data: bytes, box: Box, alt: str) -> None:
    """A picture as large as fits the box, centred."""
    with Image.open(io.BytesIO(data)) as image:
        width, height = image.size
    scale = min(box.width / width, box.height / height)
    left = box.left + (box.width - width * scale) / 2
    top = box.top + (box.height - height * scale) / 2
    shape = slide.shapes.add_picture(io.BytesIO(data), Inches(left), Inches(top), width=Inches(width * scale))
    shape._element.nvPicPr.cNvPr.set("descr", alt)


def style(run: Any, size: float, colour: str, *, bold: bool = False) -> None:
    """Font, size and colour of a run of text."""
    run.font.size, run.font.bold, run.font.name = Pt(size), bold, FONT
    run.font.color.rgb = rgb(colour)


def rgb(colour: str) -> RGBColor:
    """A colour ``#rrggbb`` as python-pptx has it."""
    return RGBColor.from_string(colour[1:].upper())


def _height(lines: Sequence[str], width: float, size: float, *, bold: bool = False) -> float:
    """Inches that paragraphs take, measured in a font wider than any that a viewer may put in its place."""
    font = _font(bold)
    per_inch = 72 / size * 100  # the font is measured at 100 pixels an em
    total = 0.0
    for text in lines:
        used, rows = 0.0, 1
        for word in text.split():
            length = font.getlength(f"{word} ")
            if used and used + length > width * per_inch:
                rows, used = rows + 1, 0.0
            used += length
        total += (rows * LINE + 0.5) * size / 72
    return total - 0.5 * size / 72 if lines else 0.0


@cache
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), 100)


def _plain(frame: Any) -> None:
    frame.word_wrap = True
    for side in ("margin_left", "margin_right", "margin_top", "margin_bottom"):
        setattr(frame, side, 0)


def _put(shape: Any, box: Box) -> None:
    shape.left, shape.top = Inches(box.left), Inches(box.top)
    shape.width, shape.height = Inches(box.width), Inches(box.height)


def _paint(shape: Any, colour: str) -> None:
    shape.fill.solid()
    shape.fill.fore_color.rgb = rgb(colour)
    shape.line.fill.background()
    shape.shadow.inherit = False


def _tab_at(properties: Any, place: Emu) -> None:
    tabs = etree.SubElement(properties, qn("a:tabLst"))
    etree.SubElement(tabs, qn("a:tab"), pos=str(int(place)), algn="l")
