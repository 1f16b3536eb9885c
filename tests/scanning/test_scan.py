import io
import os
import threading

import pytest

import madeby
from madeby import BundleError, ErrorCode, Verdict
from madeby.detector.bundle import Thresholds


def test_files_folders_and_globs_are_answered_in_order(save_picture, make_bundle, tmp_path):
    bundle = make_bundle()
    bright = save_picture("shots/bright.png", low=250)
    save_picture("shots/deep/dark.png", high=5)
    save_picture("shots/deep/mid.jpg", low=127, high=129)
    results = list(madeby.scan([tmp_path / "shots"], model=bundle.folder))
    assert [result.verdict for result in results] == [Verdict.AI, Verdict.HUMAN, Verdict.UNCERTAIN]
    assert results[0].source == str(bright)
    assert [result.verdict for result in madeby.scan(str(tmp_path / "**" / "*.png"), model=bundle.folder)] == [
        Verdict.AI,
        Verdict.HUMAN,
    ]


def test_one_broken_picture_stops_nothing(save_picture, make_bundle, tmp_path):
    save_picture("a/1.png")
    (tmp_path / "a" / "2.jpg").write_bytes(b"")
    (tmp_path / "a" / "3.jpg").write_bytes(save_picture("b/x.jpg").read_bytes()[:300])
    (tmp_path / "a" / "4.png").write_text("this is text")
    save_picture("a/5.png")
    sources = [tmp_path / "a", tmp_path / "missing.png"]
    results = list(madeby.scan(sources, model=make_bundle().folder))
    assert [result.ok for result in results] == [True, False, False, False, True, False]
    codes = [result.error.code for result in results if result.error]
    assert codes == [ErrorCode.UNREADABLE, ErrorCode.UNREADABLE, ErrorCode.UNSUPPORTED, ErrorCode.NOT_FOUND]
    assert all(result.verdict is None and result.probability is None for result in results if not result.ok)
    assert all(result.reason for result in results)


def test_a_dash_reads_one_source_a_line(save_picture, make_bundle):
    first, second = save_picture("1.png"), save_picture("2 with a space.png")
    lines = io.StringIO(f"{first}\n\n{second}\n")
    results = list(madeby.scan("-", model=make_bundle().folder, standard_input=lines))
    assert [result.source for result in results] == [str(first), str(second)]


def test_an_answer_is_given_while_the_sources_have_nothing_new_to_offer(save_picture, make_bundle):
    picture, second_wanted = save_picture("1.png"), threading.Event()

    def lines():
        yield f"{picture}\n"
        assert second_wanted.wait(20)
        yield f"{picture}\n"

    results = madeby.scan("-", model=make_bundle().folder, standard_input=lines())
    assert next(results).ok
    second_wanted.set()
    assert next(results).ok


def test_the_detector_or_provenance_alone(save_picture, make_bundle):
    picture, folder = save_picture("1.png", low=250), make_bundle().folder
    (pixels,) = madeby.scan(picture, model=folder, provenance=False)
    assert [signal.name for signal in pixels.signals] == ["detector"]
    (marks,) = madeby.scan(picture, detector=False)
    assert "detector" not in [signal.name for signal in marks.signals]
    assert marks.probability is None
    assert marks.model is None
    assert marks.verdict is Verdict.UNCERTAIN


def test_a_picture_outside_what_the_bundle_knows_is_uncertain_and_says_so(save_picture, make_bundle):
    picture = save_picture("1.png", 40, 40, low=250)
    (result,) = madeby.scan(picture, model=make_bundle(min_side=64).folder)
    assert result.verdict is Verdict.UNCERTAIN
    assert result.probability > 0.9
    assert "40×40" in " ".join((*result.warnings, result.reason))


def test_thresholds_of_the_bundle_decide(save_picture, make_bundle):
    picture = save_picture("1.png", low=250)
    never = make_bundle("never", thresholds=Thresholds(ai=1.1, human=0.1))
    assert next(madeby.scan(picture, model=never.folder)).verdict is Verdict.UNCERTAIN


def test_a_wrong_model_is_told_at_the_call(save_picture):
    with pytest.raises(BundleError, match="no model is called"):
        madeby.scan(save_picture("1.png"), model="no-such-model")


def test_bytes_in_memory_are_answered_like_the_file(save_picture, make_bundle):
    picture, detector = save_picture("1.png"), madeby.Detector(make_bundle())
    from_file = next(madeby.scan(picture, model=detector.bundle.folder))
    from_bytes = madeby.scan_bytes(picture.read_bytes(), str(picture), model=detector)
    same = {"exclude": {"timing_ms"}}
    assert from_bytes.model_dump(**same) == from_file.model_dump(**same)


def test_a_result_survives_its_json(save_picture, make_bundle):
    result = next(madeby.scan(save_picture("1.png"), model=make_bundle().folder))
    assert madeby.Result.from_json(result.to_json()) == result
    assert result.to_json().startswith('{"schema":1,"source":')


def test_stopping_early_leaves_no_thread_at_work(save_picture, make_bundle):
    picture = save_picture("1.png")
    results = madeby.scan([picture] * 200, model=make_bundle().folder)
    next(results)
    results.close()
    for thread in threading.enumerate():
        if thread.name.startswith("madeby-"):
            thread.join(10)
            assert not thread.is_alive()


def test_a_name_of_any_bytes_and_an_address_with_a_password_can_be_reported(save_picture, tmp_path):
    odd = os.fsencode(tmp_path) + b"/caf\xe9.png"
    save_picture("plain.png").rename(os.fsdecode(odd))
    named, address = madeby.scan([os.fsdecode(odd), "http://user:secret@127.0.0.1:9/x.png"], detector=False)
    assert named.ok
    assert madeby.Result.from_json(named.to_json()).source.endswith("caf\\xe9.png")
    assert address.error.code == ErrorCode.FORBIDDEN_ADDRESS
    assert "secret" not in address.to_json()
