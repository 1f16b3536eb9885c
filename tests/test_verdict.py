"""The fusion policy: what decides, what cannot, and which conflicts are named."""

import itertools

import pytest

from madeby.detector.bundle import Thresholds
from madeby.provenance.evidence import EVIDENCE
from madeby.schema import Label, Signal, Strength, Verdict
from madeby.verdict import POLICY, Pixels, Provenance, decide

THRESHOLDS = Thresholds(ai=0.9, human=0.2, false_alarm_target=0.01, miss_target=0.05)
AI, HUMAN, BETWEEN = 0.99, 0.01, 0.5


def mark(name, points_to, strength, reason="", state="found"):
    return Signal(name=name, points_to=points_to, strength=strength, reason=reason, detail={"state": state})


SIGNED_AI = mark("c2pa", Label.AI, Strength.CONCLUSIVE, "signed by Google, declared AI-generated")
SIGNED_CAMERA = mark("c2pa", Label.HUMAN, Strength.CONCLUSIVE, "signed by a Leica, declared a camera's picture")
PARAMETERS = mark("generator", Label.AI, Strength.STRONG, "metadata holds ComfyUI's parameters")
WATERMARK = mark("watermark", Label.AI, Strength.STRONG, "the pixels carry FLUX's watermark")
CAMERA = mark("camera", Label.HUMAN, Strength.WEAK, "EXIF names a Canon EOS 7D")
UPSCALER = mark("generator", Label.AI, Strength.WEAK, "ComfyUI processed the picture")
NOTHING = Signal(name="c2pa", detail={"state": "absent"})


def verdict(signals, probability=None, thresholds=THRESHOLDS, out_of_domain=()):
    return decide(signals, probability, thresholds if probability is not None else None, out_of_domain)


@pytest.mark.parametrize("probability", [None, AI, HUMAN, BETWEEN])
def test_a_trusted_signature_decides_whatever_the_pixels_say(probability):
    assert verdict([SIGNED_AI], probability).verdict is Verdict.AI
    assert verdict([SIGNED_CAMERA], probability).verdict is Verdict.HUMAN


@pytest.mark.parametrize("strong", [PARAMETERS, WATERMARK])
@pytest.mark.parametrize("probability", [None, AI, HUMAN, BETWEEN])
def test_strong_marks_decide_towards_ai_and_say_that_they_could_be_forged(strong, probability):
    decision = verdict([strong, NOTHING], probability)
    assert decision.verdict is Verdict.AI
    assert strong.reason in decision.reason
    assert "forged" in decision.reason


def test_nothing_unsigned_clears_a_picture():
    untrusted = mark("c2pa", Label.HUMAN, Strength.STRONG, "signed by nobody known as a camera's picture")
    for signals in ([CAMERA], [untrusted], [CAMERA, untrusted]):
        assert verdict(signals).verdict is Verdict.UNCERTAIN
        assert verdict(signals, AI).verdict is Verdict.AI
        assert verdict(signals, BETWEEN).verdict is Verdict.UNCERTAIN


def test_absent_provenance_is_evidence_of_nothing():
    for probability in (AI, HUMAN, BETWEEN):
        assert verdict([NOTHING], probability).verdict is verdict([], probability).verdict


def test_the_pixels_decide_where_nothing_else_does_and_the_reason_says_how_far():
    decision = verdict([NOTHING], 0.999)
    assert decision.verdict is Verdict.AI
    assert decision.reason == ("pixel evidence well above the threshold that 1% of photographs reach; no provenance")
    assert "above the threshold" in verdict([NOTHING], 0.91).reason
    assert "well" not in verdict([NOTHING], 0.91).reason
    assert verdict([NOTHING], HUMAN).reason == (
        "pixel evidence well below the threshold that 5% of AI pictures stay under; no provenance"
    )
    assert "provenance was not read" in verdict([], AI).reason


@pytest.mark.parametrize(("probability", "expected"), [(0.9, Verdict.AI), (0.2, Verdict.HUMAN)])
def test_the_thresholds_themselves_decide(probability, expected):
    assert verdict([NOTHING], probability).verdict is expected


def test_without_thresholds_the_pixels_decide_nothing():
    assert verdict([NOTHING], AI, thresholds=None).verdict is Verdict.UNCERTAIN


def test_a_threshold_above_one_means_never():
    assert verdict([NOTHING], 1.0, Thresholds(ai=1.1, human=0.2)).verdict is Verdict.UNCERTAIN


def test_outside_the_validated_domain_only_provenance_decides():
    small = ["shorter side of 31 pixels"]
    for probability in (AI, HUMAN):
        decision = verdict([NOTHING], probability, out_of_domain=small)
        assert decision.verdict is Verdict.UNCERTAIN
        assert "31 pixels" in decision.reason
    assert verdict([PARAMETERS], HUMAN, out_of_domain=small).verdict is Verdict.AI


def test_weak_ai_evidence_makes_a_clean_picture_uncertain():
    assert verdict([UPSCALER], HUMAN).verdict is Verdict.UNCERTAIN
    assert verdict([UPSCALER]).verdict is Verdict.UNCERTAIN
    assert verdict([UPSCALER], AI).verdict is Verdict.AI


def test_a_trusted_camera_against_strong_ai_marks_is_uncertain_and_names_both():
    decision = verdict([SIGNED_CAMERA, WATERMARK], AI)
    assert decision.verdict is Verdict.UNCERTAIN
    assert "Leica" in decision.reason
    assert "FLUX" in decision.reason


def test_camera_metadata_on_a_picture_whose_pixels_and_watermark_say_ai_is_a_named_conflict():
    for signals, probability in (([CAMERA], AI), ([CAMERA, WATERMARK], None), ([CAMERA, WATERMARK], AI)):
        decision = verdict(signals, probability)
        assert decision.verdict is Verdict.AI
        assert any(warning.startswith("conflict: EXIF names a Canon EOS 7D, but") for warning in decision.warnings)


def test_ai_marks_on_pixels_that_look_human_are_a_named_conflict():
    assert any("may be forged" in warning for warning in verdict([PARAMETERS], HUMAN).warnings)
    assert any("look AI-made" in warning for warning in verdict([SIGNED_CAMERA], AI).warnings)


def test_agreement_is_no_conflict():
    for signals, probability in (([PARAMETERS], AI), ([CAMERA], HUMAN), ([NOTHING], AI), ([SIGNED_AI], AI)):
        assert verdict(signals, probability).warnings == ()


@pytest.mark.parametrize("state", ["tampered", "invalid", "unreadable", "trailing", "damaged"])
def test_broken_marks_are_named_and_weigh_nothing(state):
    broken = Signal(name="c2pa", reason="changed after signing", detail={"state": state})
    for probability in (AI, HUMAN, None):
        decision = verdict([broken], probability)
        assert decision.verdict is verdict([NOTHING], probability).verdict
        assert decision.warnings == ("c2pa: changed after signing",)


def test_the_detectors_own_signal_counts_only_through_its_probability():
    detector = mark("detector", Label.AI, Strength.STRONG, "crops")
    assert verdict([detector, NOTHING]).verdict is Verdict.UNCERTAIN
    assert verdict([detector, NOTHING], HUMAN).verdict is Verdict.HUMAN


def test_every_combination_has_a_row_and_no_unsigned_one_is_human_without_the_pixels():
    for provenance, pixels in itertools.product(Provenance, Pixels):
        rule = next(rule for rule in POLICY if rule.provenance in (None, provenance) and rule.pixels in (None, pixels))
        if rule.verdict is Verdict.HUMAN and provenance is not Provenance.CONCLUSIVE_HUMAN:
            assert pixels is Pixels.HUMAN


def test_every_row_is_reachable():
    reached = {
        next(n for n, rule in enumerate(POLICY) if rule.provenance in (None, a) and rule.pixels in (None, b))
        for a, b in itertools.product(Provenance, Pixels)
    }
    assert reached == set(range(len(POLICY)))


def test_only_trusted_signatures_are_conclusive_and_unsigned_human_evidence_is_weak():
    for name, findings in EVIDENCE.items():
        for finding, weight in findings.items():
            trusted = name == "c2pa" and finding.startswith("trusted")
            assert trusted or weight.strength is not Strength.CONCLUSIVE
            if weight.points_to is Label.HUMAN and not trusted:
                assert weight.strength is Strength.WEAK
            assert (weight.points_to is None) == (weight.strength is Strength.NONE)
