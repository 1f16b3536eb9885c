"""IPTC and XMP: source types, credits and legal labels."""

import json

import pytest
from provenance_files import iim, jpeg, plain, png_text, read, source_type_xmp, with_xmp, xmp

from madeby.schema import Label, Strength

TC260 = '{"Label": "1", "ContentProducer": "somebody", "ProduceID": "7"}'


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "HEIF", "AVIF"])
@pytest.mark.parametrize(
    ("name", "label", "strength"),
    [
        ("trainedAlgorithmicMedia", Label.AI, Strength.STRONG),
        ("compositeWithTrainedAlgorithmicMedia", Label.AI, Strength.STRONG),
        ("digitalCapture", Label.HUMAN, Strength.WEAK),
    ],
)
def test_the_source_type_is_read_from_every_format(form, name, label, strength):
    signal = read("iptc", with_xmp(source_type_xmp(name), form))
    assert (signal.points_to, signal.strength) == (label, strength)
    assert signal.detail["digital_source_type"] == [name]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("compositeSynthetic", Label.AI),
        ("computationalCapture", Label.HUMAN),
        ("digitalArt", Label.HUMAN),
        ("algorithmicMedia", None),
        ("screenCapture", None),
    ],
)
def test_other_source_types_are_weak_at_most(name, label):
    signal = read("iptc", with_xmp(source_type_xmp(name)))
    assert signal.points_to is label
    assert signal.strength in (Strength.WEAK, Strength.NONE)


def test_the_source_type_may_stand_as_an_element_or_a_short_name():
    element = "<Iptc4xmpExt:DigitalSourceType>trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>"
    assert read("iptc", with_xmp(xmp(element))).points_to is Label.AI


def test_ai_outweighs_other_declarations_in_the_same_file():
    both = xmp(
        "<Iptc4xmpExt:DigitalSourceType>digitalCapture</Iptc4xmpExt:DigitalSourceType>"
        "<Iptc4xmpExt:DigitalSourceType>compositeWithTrainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>"
    )
    assert read("iptc", with_xmp(both)).points_to is Label.AI


def test_a_credit_to_an_ai_service_is_a_label():
    for data in (
        jpeg((0xED, iim(f80="me", f110="Made with Google AI"))),
        with_xmp(xmp("<photoshop:Credit>Made with Google AI</photoshop:Credit>")),
        with_xmp(xmp(attributes='xmp:CreatorTool="Adobe Firefly"')),
    ):
        signal = read("iptc", data)
        assert signal.detail["state"] == "labelled"
        assert (signal.points_to, signal.strength) == (Label.AI, Strength.STRONG)


def test_credits_of_people_and_editors_are_reported_and_say_nothing():
    signal = read("iptc", jpeg((0xED, iim(f80="Ada Lovelace", f110="Gemini Press", f65="Photoshop 25"))))
    assert signal.points_to is None
    assert signal.detail["creator"] == "Ada Lovelace"
    assert signal.detail["credit"] == "Gemini Press"
    assert signal.detail["program"] == "Photoshop 25"


@pytest.mark.parametrize("credit", ["Handout/OpenAI", "Wang Jimeng/Xinhua"])
def test_a_picture_agency_s_credit_that_names_a_service_is_no_label(credit):
    assert read("iptc", with_xmp(xmp(f"<photoshop:Credit>{credit}</photoshop:Credit>"))).points_to is None


def test_captions_and_titles_that_talk_of_ai_are_no_evidence():
    talk = "<dc:description>Made with Midjourney? No, AI generated pictures look different</dc:description>"
    assert read("iptc", with_xmp(xmp(talk))).points_to is None
    assert read("iptc", jpeg((0xED, iim(f120="AI generated or not?")))).points_to is None


def test_the_chinese_label_is_read_from_xmp_and_png_text():
    quoted = TC260.replace('"', "&quot;")
    for data in (
        with_xmp(xmp(attributes=f'TC260:AIGC="{quoted}"')),
        with_xmp(xmp(f"<TC260:AIGC>{quoted}</TC260:AIGC>")),
        png_text(AIGC=TC260),
    ):
        signal = read("iptc", data)
        assert signal.points_to is Label.AI
        assert signal.detail["label"] == "AIGC label 1 by somebody"
    assert read("iptc", png_text(AIGC=json.dumps({"Label": "0"}))).points_to is None


def test_nothing_is_absent():
    assert read("iptc", plain()).detail == {"state": "absent"}


def test_control_characters_never_reach_a_terminal():
    signal = read("iptc", jpeg((0xED, iim(f80="a\x1b[31mred\x07"))))
    assert "\x1b" not in signal.detail["creator"]
    signal.model_dump_json()
