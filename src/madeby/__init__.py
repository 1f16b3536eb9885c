"""madeby: was this picture made by a human or by a generative model?

The public API. Names are loaded when first used, so that ``import madeby`` is quick and scanning never imports
what only training needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from madeby.api.benchmarking import benchmark
    from madeby.api.calibrating import calibrate
    from madeby.api.evaluating import evaluate
    from madeby.api.models import ShownModel, models_list, models_newest, models_pull, models_push, models_show
    from madeby.api.pictures import bench, explain, explain_bytes, load_detector, provenance, scan, scan_bytes
    from madeby.api.training import train
    from madeby.datasets.audit.align import AlignSummary, data_align
    from madeby.datasets.audit.audit import data_audit
    from madeby.datasets.audit.clean import CleanSummary, data_clean
    from madeby.datasets.audit.findings import Audit, Leak
    from madeby.datasets.importing import ImportSummary, data_import
    from madeby.datasets.manifest import ManifestCounts
    from madeby.datasets.names import parse_label_choices
    from madeby.datasets.show import SheetSummary, Tally, data_show
    from madeby.datasets.split import data_split
    from madeby.detector.bundle import Bundle, BundleSpec
    from madeby.detector.detector import Detector, Reading
    from madeby.errors import (
        BundleError,
        DataError,
        ErrorCode,
        MadebyError,
        MissingExtraError,
        PictureError,
        RecipeError,
    )
    from madeby.evaluation.analysis.analyze import analyze
    from madeby.evaluation.analysis.record import Analysis
    from madeby.evaluation.benchmarking.record import Benchmark
    from madeby.evaluation.evaluate import Evaluation
    from madeby.evaluation.metrics import Figures, Metrics
    from madeby.networks.summary import LayerSummary, NetworkSummary, models_networks, network_summary
    from madeby.pictures.fetch import FetchPolicy, fetch
    from madeby.pictures.formats import sniff
    from madeby.pictures.limits import Limits
    from madeby.reporting.report import Report, report
    from madeby.scanning.answered import Answered
    from madeby.scanning.bench import Bench
    from madeby.scanning.calibrate import CalibrationSummary
    from madeby.scanning.cluster.options import RayCluster
    from madeby.scanning.explain import Explanation
    from madeby.scanning.sinks.csv import CsvSink
    from madeby.scanning.sinks.folder import FolderSink
    from madeby.scanning.sinks.jsonl import JsonLinesFile, JsonLinesSink
    from madeby.scanning.sinks.parquet import ParquetSink
    from madeby.scanning.sinks.parquet_folder import ParquetFolderSink
    from madeby.scanning.sinks.several import SeveralSinks, Sink
    from madeby.scanning.sinks.single_object import ObjectSink
    from madeby.scanning.sinks.text_folders import CsvFolderSink, JsonLinesFolderSink
    from madeby.schema import ErrorInfo, Label, ModelInfo, PictureFacts, Result, Signal, Strength, Timing, Verdict
    from madeby.stores.listing import ListedModel
    from madeby.stores.published import PublishedModel
    from madeby.stores.push import PushedModel
    from madeby.training.adaptation.adapt import AdaptationSummary
    from madeby.training.export_run import models_export
    from madeby.training.progress import Progress
    from madeby.training.recipe import Recipe
    from madeby.training.run import EpochFigures, RunSummary
    from madeby.training.tuning.records import TrialRow, Tuning
    from madeby.training.tuning.tune import TuningOutcome, tune
    from madeby.version import __version__
    from madeby.web.keys import ApiKey, NewKey, keys_create, keys_list, keys_revoke
    from madeby.web.serve import serve

_HOME = {
    "madeby.api.benchmarking": ("benchmark",),
    "madeby.api.calibrating": ("calibrate",),
    "madeby.api.evaluating": ("evaluate",),
    "madeby.api.models": ("ShownModel", "models_list", "models_newest", "models_pull", "models_push", "models_show"),
    "madeby.api.training": ("train",),
    "madeby.api.pictures": ("bench", "explain", "explain_bytes", "load_detector", "provenance", "scan", "scan_bytes"),
    "madeby.datasets.audit.align": ("AlignSummary", "data_align"),
    "madeby.datasets.audit.audit": ("data_audit",),
    "madeby.datasets.audit.clean": ("CleanSummary", "data_clean"),
    "madeby.datasets.audit.findings": ("Audit", "Leak"),
    "madeby.datasets.importing": ("ImportSummary", "data_import"),
    "madeby.datasets.manifest": ("ManifestCounts",),
    "madeby.datasets.names": ("parse_label_choices",),
    "madeby.datasets.show": ("SheetSummary", "Tally", "data_show"),
    "madeby.datasets.split": ("data_split",),
    "madeby.detector.bundle": ("Bundle", "BundleSpec"),
    "madeby.detector.detector": ("Detector", "Reading"),
    "madeby.errors": (
        "BundleError",
        "DataError",
        "ErrorCode",
        "MadebyError",
        "MissingExtraError",
        "PictureError",
        "RecipeError",
    ),
    "madeby.evaluation.analysis.analyze": ("analyze",),
    "madeby.evaluation.analysis.record": ("Analysis",),
    "madeby.evaluation.benchmarking.record": ("Benchmark",),
    "madeby.evaluation.evaluate": ("Evaluation",),
    "madeby.evaluation.metrics": ("Figures", "Metrics"),
    "madeby.networks.summary": ("LayerSummary", "NetworkSummary", "models_networks", "network_summary"),
    "madeby.pictures.fetch": ("FetchPolicy", "fetch"),
    "madeby.pictures.formats": ("sniff",),
    "madeby.pictures.limits": ("Limits",),
    "madeby.scanning.calibrate": ("CalibrationSummary",),
    "madeby.scanning.explain": ("Explanation",),
    "madeby.scanning.answered": ("Answered",),
    "madeby.scanning.bench": ("Bench",),
    "madeby.scanning.cluster.options": ("RayCluster",),
    "madeby.reporting.report": ("Report", "report"),
    "madeby.scanning.sinks.csv": ("CsvSink",),
    "madeby.scanning.sinks.folder": ("FolderSink",),
    "madeby.scanning.sinks.jsonl": ("JsonLinesFile", "JsonLinesSink"),
    "madeby.scanning.sinks.parquet": ("ParquetSink",),
    "madeby.scanning.sinks.parquet_folder": ("ParquetFolderSink",),
    "madeby.scanning.sinks.several": ("SeveralSinks", "Sink"),
    "madeby.scanning.sinks.single_object": ("ObjectSink",),
    "madeby.scanning.sinks.text_folders": ("CsvFolderSink", "JsonLinesFolderSink"),
    "madeby.schema": (
        "ErrorInfo",
        "Label",
        "ModelInfo",
        "PictureFacts",
        "Result",
        "Signal",
        "Strength",
        "Timing",
        "Verdict",
    ),
    "madeby.stores.listing": ("ListedModel",),
    "madeby.stores.published": ("PublishedModel",),
    "madeby.stores.push": ("PushedModel",),
    "madeby.training.adaptation.adapt": ("AdaptationSummary",),
    "madeby.training.export_run": ("models_export",),
    "madeby.training.progress": ("Progress",),
    "madeby.training.recipe": ("Recipe",),
    "madeby.training.run": ("EpochFigures", "RunSummary"),
    "madeby.training.tuning.records": ("TrialRow", "Tuning"),
    "madeby.training.tuning.tune": ("TuningOutcome", "tune"),
    "madeby.version": ("__version__",),
    "madeby.web.keys": ("ApiKey", "NewKey", "keys_create", "keys_list", "keys_revoke"),
    "madeby.web.serve": ("serve",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "AdaptationSummary",
    "AlignSummary",
    "Analysis",
    "Answered",
    "ApiKey",
    "Audit",
    "Bench",
    "Benchmark",
    "Bundle",
    "BundleError",
    "BundleSpec",
    "CalibrationSummary",
    "CleanSummary",
    "CsvFolderSink",
    "CsvSink",
    "DataError",
    "Detector",
    "EpochFigures",
    "ErrorCode",
    "ErrorInfo",
    "Evaluation",
    "Explanation",
    "FetchPolicy",
    "Figures",
    "FolderSink",
    "ImportSummary",
    "JsonLinesFile",
    "JsonLinesFolderSink",
    "JsonLinesSink",
    "Label",
    "LayerSummary",
    "Leak",
    "Limits",
    "ListedModel",
    "MadebyError",
    "ManifestCounts",
    "Metrics",
    "MissingExtraError",
    "ModelInfo",
    "NetworkSummary",
    "NewKey",
    "ObjectSink",
    "ParquetFolderSink",
    "ParquetSink",
    "PictureError",
    "PictureFacts",
    "Progress",
    "PublishedModel",
    "PushedModel",
    "RayCluster",
    "Reading",
    "Recipe",
    "RecipeError",
    "Report",
    "Result",
    "RunSummary",
    "SeveralSinks",
    "SheetSummary",
    "ShownModel",
    "Signal",
    "Sink",
    "Strength",
    "Tally",
    "Timing",
    "TrialRow",
    "Tuning",
    "TuningOutcome",
    "Verdict",
    "__version__",
    "analyze",
    "bench",
    "benchmark",
    "calibrate",
    "data_align",
    "data_audit",
    "data_clean",
    "data_import",
    "data_show",
    "data_split",
    "evaluate",
    "explain",
    "explain_bytes",
    "fetch",
    "keys_create",
    "keys_list",
    "keys_revoke",
    "load_detector",
    "models_export",
    "models_list",
    "models_networks",
    "models_newest",
    "models_pull",
    "models_push",
    "models_show",
    "network_summary",
    "parse_label_choices",
    "provenance",
    "report",
    "scan",
    "scan_bytes",
    "serve",
    "sniff",
    "train",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'madeby' has no attribute {name!r}")
    from madeby.errors import needing_extra

    with needing_extra(name, "train"):
        module = importlib.import_module(_MODULE_OF[name])
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
