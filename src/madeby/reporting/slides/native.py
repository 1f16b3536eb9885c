"""Charts and tables that stay editable in the presentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_LEGEND_POSITION, XL_MARKER_STYLE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from madeby.plots.style import LIGHT
from madeby.reporting.slides.layout import FONT, Box, rgb, style

SMALL = 12
WORTH_A_LABEL = 0.06
MOST_LABELS = 12


def bars(
    slide: Any,
    names: Sequence[str],
    values: Sequence[float],
    box: Box,
    *,
    title: str,
    low: float = 0.0,
    high: float = 1.0,
    form: str = "0.000",
    colour: str = LIGHT.accent,
    longest: int = 30,
) -> None:
    """Horizontal bars, the first above."""
    data = CategoryChartData()
    data.categories = [_short(name, longest) for name in reversed(names)]
    data.add_series(title, list(reversed(values)))
    chart = _added(slide, XL_CHART_TYPE.BAR_CLUSTERED, data, box, title)
    chart.has_legend = False
    _axis(chart.value_axis, low, high, "0.0" if form.startswith("0.0") and "%" not in form else form)
    plot = chart.plots[0]
    plot.gap_width = 55
    _fill(plot.series[0], colour)
    _labels(plot, form)


def stacked(slide: Any, names: Sequence[str], human: Sequence[int], ai: Sequence[int], box: Box, *, title: str) -> None:
    """Counts of human and AI pictures over each other."""
    data = CategoryChartData()
    data.categories = list(names)
    data.add_series("human", human)
    data.add_series("ai", ai)
    chart = _added(slide, XL_CHART_TYPE.COLUMN_CLUSTERED, data, box, title)
    _legend(chart)
    _axis(chart.value_axis, 0, None, "#,##0")
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 70, -5
    for series, colour in zip(plot.series, (LIGHT.human, LIGHT.ai), strict=True):
        _fill(series, colour)
    _labels(plot, "#,##0")


def verdicts(slide: Any, shares: Mapping[str, tuple[float, float, float]], box: Box) -> None:
    """Shares called human, uncertain and ai, of the pictures of each label."""
    data = CategoryChartData()
    rows = dict(reversed(list(shares.items())))
    data.categories = [f"{label} pictures" for label in rows]
    for place, name in enumerate(("called human", "uncertain", "called ai")):
        data.add_series(name, [values[place] for values in rows.values()])
    chart = _added(slide, XL_CHART_TYPE.BAR_STACKED_100, data, box, "Verdicts")
    _legend(chart)
    _axis(chart.value_axis, 0, 1, "0%")
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 40, 100
    for place, (series, colour) in enumerate(zip(plot.series, (LIGHT.human, "#c9ced4", LIGHT.ai), strict=True)):
        _fill(series, colour)
        for at, values in enumerate(rows.values()):
            if values[place] >= WORTH_A_LABEL:
                label = series.points[at].data_label
                label.has_text_frame = True
                label.text_frame.text = f"{values[place]:.0%}"
                ink = LIGHT.ink if place == 1 else LIGHT.background
                style(label.text_frame.paragraphs[0].runs[0], SMALL, ink, bold=True)


def lines(
    slide: Any,
    epochs: Sequence[int],
    series: Sequence[tuple[str, Sequence[float | None], str]],
    box: Box,
    *,
    title: str,
    form: str = "0%",
) -> None:
    """Figures by epoch: name, values and colour of each."""
    data = CategoryChartData()
    data.categories = [str(epoch) for epoch in epochs]
    for name, values, _ in series:
        data.add_series(name, values)
    chart = _added(slide, XL_CHART_TYPE.LINE_MARKERS, data, box, title)
    _legend(chart)
    known = [value for _, values, _ in series for value in values if value is not None]
    low = max(0.0, int(20 * min(known)) / 20) if known else 0.0
    _axis(chart.value_axis, low, 1.0 if form == "0%" else None, form)
    _label_every(chart, len(epochs))
    for drawn, (_, _, colour) in zip(chart.plots[0].series, series, strict=True):
        drawn.smooth = False
        drawn.format.line.color.rgb = rgb(colour)
        drawn.format.line.width = Pt(2.25)
        drawn.marker.style, drawn.marker.size = XL_MARKER_STYLE.CIRCLE, 5
        drawn.marker.format.fill.solid()
        drawn.marker.format.fill.fore_color.rgb = rgb(colour)
        drawn.marker.format.line.color.rgb = rgb(colour)


def table(
    slide: Any,
    rows: Sequence[Sequence[str]],
    box: Box,
    *,
    widths: Sequence[float] | None = None,
    size: float = 14,
    numbers_from: int = 1,
    strong: int | None = None,
) -> None:
    """A table whose first row is its head; columns from ``numbers_from`` on stand right, ``strong`` is bold."""
    height = min(box.height / len(rows), size * 2.1 / 72)
    size = min(size, height * 72 / 1.75)
    shape = slide.shapes.add_table(
        len(rows), len(rows[0]), Inches(box.left), Inches(box.top), Inches(box.width), Inches(height * len(rows))
    )
    grid = shape.table
    shape._element.graphic.graphicData.tbl[0][-1].text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # no style, no grid
    grid.first_row = grid.horz_banding = False
    total = sum(widths) if widths else len(rows[0])
    for place, column in enumerate(grid.columns):
        column.width = Inches(box.width * (widths[place] if widths else 1) / total)
    for at, row in enumerate(rows):
        grid.rows[at].height = Inches(height)
        for place, text in enumerate(row):
            cell = grid.cell(at, place)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            cell.margin_top = cell.margin_bottom = Inches(0.02)
            cell.margin_left = cell.margin_right = Inches(0.06)
            cell.fill.solid()
            cell.fill.fore_color.rgb = rgb(LIGHT.surface if at % 2 else LIGHT.background)
            paragraph = cell.text_frame.paragraphs[0]
            paragraph.alignment = PP_ALIGN.RIGHT if place >= numbers_from else PP_ALIGN.LEFT
            run = paragraph.add_run()
            run.text = text
            style(run, size, LIGHT.muted if at == 0 else LIGHT.ink, bold=at > 0 and place == strong)


def _added(slide: Any, kind: Any, data: CategoryChartData, box: Box, title: str) -> Any:
    frame = slide.shapes.add_chart(kind, Inches(box.left), Inches(box.top), Inches(box.width), Inches(box.height), data)
    frame._element.nvGraphicFramePr.cNvPr.set("descr", title)
    chart = frame.chart
    chart.font.size, chart.font.name = Pt(SMALL), FONT
    chart.font.color.rgb = rgb(LIGHT.ink)
    chart.has_title = True
    chart.chart_title.text_frame.text = title
    style(chart.chart_title.text_frame.paragraphs[0].runs[0], 14, LIGHT.ink, bold=True)
    chart.chart_title.include_in_layout = False
    return chart


def _axis(axis: Any, low: float | None, high: float | None, form: str) -> None:
    axis.minimum_scale, axis.maximum_scale = low, high
    axis.major_gridlines.format.line.color.rgb = rgb(LIGHT.grid)
    axis.format.line.fill.background()
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = form, False


def _label_every(chart: Any, count: int) -> None:
    """As many labels on the axis of categories as can be read."""
    chart.category_axis.tick_labels.font.size = Pt(SMALL if count <= MOST_LABELS else SMALL - 3)
    skip = etree.SubElement(chart.category_axis._element, qn("c:tickLblSkip"))
    skip.set("val", str(max(1, -(-count // MOST_LABELS))))
    after = chart.category_axis._element.find(qn("c:noMultiLvlLbl"))
    if after is not None:
        after.addprevious(skip)


def _labels(plot: Any, form: str) -> None:
    plot.has_data_labels = True
    labels = plot.data_labels
    labels.number_format, labels.number_format_is_linked = form, False
    labels.font.size, labels.font.name = Pt(SMALL), FONT
    labels.position = XL_LABEL_POSITION.OUTSIDE_END


def _legend(chart: Any) -> None:
    chart.has_legend = True
    chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    chart.legend.font.size = Pt(SMALL)


def _fill(series: Any, colour: str) -> None:
    series.format.fill.solid()
    series.format.fill.fore_color.rgb = rgb(colour)


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
