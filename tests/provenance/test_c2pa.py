"""Content Credentials: states kept apart, declarations understood, trust taken from a list."""

import pytest
from provenance_files import KEYS, plain, png_chunks, read, signed, smooth, with_xmp, xmp

from madeby.errors import MadebyError
from madeby.pictures.fetch import FetchPolicy
from madeby.provenance.c2pa import _judge, state_of
from madeby.provenance.material import Material, ReadingOptions
from madeby.provenance.reading import read_material
from madeby.provenance.trust import ENVIRONMENT, trust_list
from madeby.schema import Label, Strength

ROOT = KEYS / "root.pem"
LINK = xmp(attributes='dcterms:provenance="http://127.0.0.1:9/manifest.c2pa"')


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "HEIF", "AVIF"])
def test_a_trusted_signer_that_declares_generation_is_conclusive(form):
    signal = read("c2pa", signed(form=form), trust_list=ROOT)
    assert (signal.points_to, signal.strength) == (Label.AI, Strength.CONCLUSIVE)
    assert signal.detail["state"] == "trusted"
    assert signal.detail["signer"] == "madeby tests"
    assert signal.detail["declares"] == ["trainedAlgorithmicMedia"]
    assert signal.detail["claim_generator"] == "test maker 1"
    assert signal.detail["trust_list"] == "root.pem"


def test_an_unknown_signer_is_untrusted_and_at_most_strong():
    signal = read("c2pa", signed())
    assert (signal.points_to, signal.strength) == (Label.AI, Strength.STRONG)
    assert signal.detail["state"] == "untrusted"
    assert "signingCredential.untrusted" in signal.detail["failures"]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_changed_after_signing_is_tampered_and_no_evidence(form):
    data = bytearray(signed(form=form))
    data[-40] ^= 1
    signal = read("c2pa", bytes(data), trust_list=ROOT)
    assert signal.detail["state"] == "tampered"
    assert signal.points_to is None
    assert signal.detail["signer"] == "madeby tests"
    assert any("mismatch" in failure for failure in signal.detail["failures"])


def test_bytes_appended_after_signing_are_tampering():
    assert read("c2pa", signed() + b"x", trust_list=ROOT).detail["state"] == "tampered"


def test_a_manifest_moved_to_another_picture_is_tampered():
    store = next(body for kind, body in png_chunks(signed(form="PNG")) if kind == b"caBX")
    from provenance_files import png

    other = png((b"caBX", store), pixels=smooth(seed=1))
    assert read("c2pa", other, trust_list=ROOT).detail["state"] == "tampered"


@pytest.mark.parametrize(
    ("source_type", "label", "strength"),
    [
        ("trainedAlgorithmicMedia", Label.AI, Strength.CONCLUSIVE),
        ("compositeWithTrainedAlgorithmicMedia", Label.AI, Strength.CONCLUSIVE),
        ("compositeSynthetic", Label.AI, Strength.STRONG),
        ("digitalCapture", Label.HUMAN, Strength.CONCLUSIVE),
        ("computationalCapture", Label.HUMAN, Strength.CONCLUSIVE),
        ("digitalArt", Label.HUMAN, Strength.WEAK),
        ("algorithmicMedia", None, Strength.NONE),
        ("screenCapture", None, Strength.NONE),
    ],
)
def test_each_source_type_has_its_weight(source_type, label, strength):
    signal = read("c2pa", signed(source_type), trust_list=ROOT)
    assert (signal.points_to, signal.strength) == (label, strength)


def test_an_untrusted_camera_clears_nothing():
    assert read("c2pa", signed("digitalCapture")).strength is Strength.WEAK


def test_actions_of_the_first_version_are_read():
    assert read("c2pa", signed(label="c2pa.actions"), trust_list=ROOT).points_to is Label.AI


def test_a_known_service_that_created_without_a_source_type_counts_as_generation():
    action = {"action": "c2pa.created", "softwareAgent": "Bing Image Creator"}
    signal = read("c2pa", signed(None, label="c2pa.actions", action=action), trust_list=ROOT)
    assert signal.points_to is Label.AI
    assert signal.detail["software_agents"] == ["Bing Image Creator"]


def test_an_edit_of_a_generated_picture_inherits_its_declaration():
    signal = read("c2pa", signed(None, ingredient=signed()), trust_list=ROOT)
    assert signal.points_to is Label.AI
    assert signal.detail["declares"] == ["trainedAlgorithmicMedia"]
    assert signal.detail["ingredients"] == 1


def test_a_damaged_manifest_is_unreadable():
    data = signed(form="PNG")
    from provenance_files import png

    store = next(body for kind, body in png_chunks(data) if kind == b"caBX")
    for broken in (store[:100], b"\xff" * 50, b"", store[:8] + b"\x00" * 200):
        signal = read("c2pa", png((b"caBX", broken)))
        assert signal.detail["state"] == "unreadable"
        assert signal.points_to is None


def test_no_manifest_is_absent():
    assert read("c2pa", plain()).detail["state"] == "absent"


def test_a_linked_manifest_is_named_and_not_fetched():
    signal = read("c2pa", with_xmp(LINK))
    assert signal.detail == {"state": "remote", "url": "http://127.0.0.1:9/manifest.c2pa"}


def test_fetching_a_linked_manifest_never_reaches_a_private_address():
    signal = read("c2pa", with_xmp(LINK), fetch_remote=FetchPolicy())
    assert signal.detail["problem"] == "forbidden_address"


def test_a_manifest_that_was_taken_out_is_named():
    packet = xmp(attributes='dcterms:provenance="self#jumbf=/c2pa/x"')
    assert read("c2pa", with_xmp(packet)).detail["state"] == "removed"


def test_the_shipped_trust_list_is_dated_and_holds_certificates():
    shipped = trust_list()
    assert shipped.name == "C2PA"
    assert len(shipped.date) == len("2026-08-14")
    assert shipped.pem.count("BEGIN CERTIFICATE") > 20


def test_the_trust_list_can_be_replaced_by_file_folder_and_environment(monkeypatch):
    assert trust_list(ROOT).pem == ROOT.read_text()
    assert "CERTIFICATE" in trust_list(KEYS).pem
    monkeypatch.setenv(ENVIRONMENT, str(ROOT))
    assert read("c2pa", signed()).detail["state"] == "trusted"


def test_a_trust_list_that_is_no_such_thing_is_refused_with_a_message(tmp_path):
    with pytest.raises(MadebyError, match="cannot read the trust list"):
        trust_list(tmp_path / "nothing.pem")
    with pytest.raises(MadebyError, match="no certificate"):
        trust_list(KEYS / "signer.key")
    material = Material(signed(), options=ReadingOptions(trust_list=tmp_path / "nothing.pem"))
    signals = {signal.name: signal for signal in read_material(material)}
    assert "cannot read the trust list" in signals["c2pa"].reason


INTACT = ("claimSignature.validated", "assertion.dataHash.match")


def validation(success=(*INTACT, "signingCredential.trusted"), failure=(), below=()):
    statuses = {
        kind: [{"code": code} for code in codes] for kind, codes in (("success", success), ("failure", failure))
    }
    delta = {"validationDeltas": {"failure": [{"code": code} for code in below]}}
    return {"activeManifest": statuses, "ingredientDeltas": [delta]}


@pytest.mark.parametrize(
    ("results", "state"),
    [
        (validation(), "trusted"),
        (validation(success=INTACT), "untrusted"),
        # a signature that is tied to no picture
        (validation(success=("claimSignature.validated", "signingCredential.trusted")), "invalid"),
        (validation(failure=("signingCredential.expired",)), "untrusted"),
        (validation(failure=("signingCredential.ocsp.revoked",)), "untrusted"),
        # a rule of form that large services break while their signatures hold
        (validation(failure=("assertion.action.malformed",)), "trusted"),
        # identity assertions are another matter than the claim
        (validation(failure=("cawg.ica.signature_mismatch", "cawg.x509.credential.untrusted")), "trusted"),
        (validation(failure=("timeStamp.mismatch",)), "trusted"),
        (validation(failure=("assertion.dataHash.mismatch",)), "tampered"),
        (validation(failure=("claimSignature.mismatch",)), "tampered"),
        (validation(failure=("assertion.bmffHash.mismatch",)), "tampered"),
        (validation(below=("assertion.hashedURI.mismatch",)), "tampered"),
        (validation(below=("signingCredential.untrusted",)), "trusted"),
        (validation(failure=("claim.missing",)), "invalid"),
        (validation(success=()), "invalid"),
        ({}, "invalid"),
    ],
)
def test_states_are_kept_apart(results, state):
    assert state_of(results)[0] == state


CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
GENERATION = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def edited(source_type, *ingredient_codes):
    """What c2pa-python reports of a trusted editor's picture whose parent declares a source type."""
    parent = {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [{"digitalSourceType": source_type}]}}]}
    found = {"activeManifest": {"success": [{"code": code} for code in ingredient_codes], "failure": []}}
    opened = {"active_manifest": "parent", "relationship": "parentOf", "validation_results": found}
    return {
        "active_manifest": "edit",
        "manifests": {"edit": {"signature_info": {"issuer": "Editor"}, "ingredients": [opened]}, "parent": parent},
        "validation_results": {**validation(), "ingredientDeltas": []},
    }


@pytest.mark.parametrize(
    ("source_type", "vouched", "points_to", "strength"),
    [
        (CAPTURE, True, Label.HUMAN, Strength.CONCLUSIVE),
        (CAPTURE, False, None, Strength.NONE),  # else a self-signed capture need only pass through an editor
        (GENERATION, True, Label.AI, Strength.CONCLUSIVE),
        (GENERATION, False, Label.AI, Strength.STRONG),
    ],
)
def test_an_ingredient_counts_in_full_only_where_its_own_signature_was_trusted(
    source_type, vouched, points_to, strength
):
    codes = (*INTACT, "signingCredential.trusted") if vouched else INTACT
    signal = _judge(edited(source_type, *codes), trust_list(), None)
    assert (signal.points_to, signal.strength) == (points_to, strength)
