"""What the page is made of: served as it lies, from here alone, and never parsing text as HTML."""

import re
from pathlib import Path

import pytest

import madeby

PAGE = Path(madeby.__file__).parent / "web" / "page"
FILES = sorted(path for path in PAGE.rglob("*") if path.is_file())
ELSEWHERE = re.compile(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[\w-]+\.[\w.-]+")
SINKS = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "new Function")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_another_host_or_parses_html(path):
    text = path.read_text()
    assert ELSEWHERE.findall(text) == []
    assert [sink for sink in SINKS if sink in text] == []


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".html"], ids=lambda path: path.name)
def test_the_documents_hold_no_scripts_or_styles_of_their_own(path):
    text = path.read_text()
    assert re.findall(r"<script(?! src=)(?! type=\"module\" src=)|<style|\sstyle=|\son\w+=", text) == []
