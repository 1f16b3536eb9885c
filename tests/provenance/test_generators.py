"""Generators' own metadata: the tool named, its settings read, look-alikes left alone."""

import json
import time

import pytest
from provenance_files import (
    A1111,
    COMFY,
    exif_block,
    plain,
    png,
    png_raw_text,
    png_text,
    read,
    stealth,
    user_comment,
    with_exif,
    with_xmp,
    xmp,
)

from madeby.schema import Label, Strength

NOVELAI = {
    "Software": "NovelAI",
    "Source": "NovelAI Diffusion V4 37442FCA",
    "Description": "a garden",
    "Comment": json.dumps({"sampler": "k_euler", "seed": 5, "steps": 28, "scale": 5.0, "uc": "text"}),
}
MODERN_INVOKE = {
    "positive_prompt": "a garden",
    "negative_prompt": "rain",
    "model": {"name": "juggernaut", "hash": "x"},
    "seed": 5,
    "scheduler": "euler",
    "steps": 30,
    "cfg_scale": 7.5,
    "app_version": "5.0.0",
}
MIDDLE_INVOKE = {
    "model_weights": "sd-1.5",
    "app_id": "invoke-ai/InvokeAI",
    "image": {"prompt": [{"prompt": "a garden [rain]"}], "sampler": "k_lms", "seed": 5, "steps": 50, "cfg_scale": 7.5},
}
SWARM = {"sui_image_params": {"prompt": "a garden", "negativeprompt": "rain", "model": "flux", "seed": 5, "steps": 20}}
FOOOCUS = {"base_model": "juggernautXL", "prompt": "a garden", "sampler": "dpmpp_2m_sde_gpu", "seed": "5",
           "guidance_scale": 4, "sharpness": 2, "steps": 30, "version": "Fooocus v2.5.5"}  # fmt: skip
EASY = {"prompt": "a garden", "seed": "5", "use_stable_diffusion_model": "sd-v1-5", "sampler_name": "euler_a",
        "num_inference_steps": "25", "guidance_scale": "7.5", "negative_prompt": "rain"}  # fmt: skip
DRAW = {"c": "a garden", "uc": "rain", "model": "sdxl_base", "sampler": "Euler A", "seed": 5, "steps": 20, "scale": 7}
JOB = "Job ID: 3f2a9c1e-1111-2222-3333-444455556666"

CASES = {
    # what it is: (file, tool, model, seed, word of the prompt)
    "A1111 in PNG": (png_text(parameters=A1111), "AUTOMATIC1111", "sd_xl_base", "1234", "lighthouse"),
    "A1111 in JPEG": (with_exif(user_comment(A1111)), "AUTOMATIC1111", "sd_xl_base", "1234", "lighthouse"),
    "A1111, other byte order": (
        with_exif(user_comment(A1111, "utf-16-le")), "AUTOMATIC1111", "sd_xl_base", "1234", "lighthouse"),
    "A1111 in WebP": (
        with_exif(user_comment(A1111), "WEBP"), "AUTOMATIC1111", "sd_xl_base", "1234", "lighthouse"),
    "A1111 in AVIF": (
        with_exif(user_comment(A1111), "AVIF"), "AUTOMATIC1111", "sd_xl_base", "1234", "lighthouse"),
    "Forge": (
        png_text(parameters=A1111.replace("v1.10.1", "f2.0.1v1.10.1")), "Forge", "sd_xl_base", "1234", "lighthouse"),
    "SD.Next": (
        png_text(parameters=A1111.replace("Version:", "App: SD.Next, Version:")), "SD.Next", "sd_xl_base", "1234", ""),
    "ComfyUI prompt": (png_text(prompt=json.dumps(COMFY)), "ComfyUI", "flux1-dev.safetensors", "42", "quiet harbour"),
    "ComfyUI in WebP": (
        with_exif(exif_block({0x010F: "workflow:{}", 0x0110: "prompt:" + json.dumps(COMFY)}), "WEBP"),
        "ComfyUI", "flux1-dev.safetensors", "42", "quiet harbour"),
    "ComfyUI workflow alone": (
        png_text(workflow=json.dumps({"nodes": [{"type": "KSampler"}]})), "ComfyUI", "", "", ""),
    "InvokeAI 3 and later": (
        png_text(invokeai_metadata=json.dumps(MODERN_INVOKE)), "InvokeAI", "juggernaut", "5", "garden"),
    "InvokeAI 2": (png_raw_text("sd-metadata", json.dumps(MIDDLE_INVOKE)), "InvokeAI", "sd-1.5", "5", "garden"),
    "InvokeAI before": (
        png_text(Dream='"a garden in midjourney style [rain]" -s 50 -S 5 -C 7.5 -A k_lms'),
        "InvokeAI", "", "5", "garden"),
    "NovelAI": (png_text(**NOVELAI), "NovelAI", "NovelAI Diffusion V4 37442FCA", "5", "garden"),
    "NovelAI, hidden": (stealth(json.dumps(NOVELAI)), "NovelAI", "NovelAI Diffusion V4 37442FCA", "5", "garden"),
    "A1111, hidden": (stealth(A1111, b"stealth_pnginfo"), "AUTOMATIC1111", "sd_xl_base", "1234", "lighthouse"),
    "A1111, hidden in the colours": (
        stealth(A1111, b"stealth_rgbcomp"), "AUTOMATIC1111", "sd_xl_base", "1234", "lighthouse"),
    "SwarmUI": (png_text(parameters=json.dumps(SWARM)), "SwarmUI", "flux", "5", "garden"),
    "Fooocus": (png_text(parameters=json.dumps(FOOOCUS)), "Fooocus", "juggernautXL", "5", "garden"),
    "Fooocus in JPEG": (with_exif(user_comment(json.dumps(FOOOCUS))), "Fooocus", "juggernautXL", "5", "garden"),
    "Easy Diffusion": (png_text(**EASY), "Easy Diffusion", "sd-v1-5", "5", "garden"),
    "Easy Diffusion in JPEG": (with_exif(user_comment(json.dumps(EASY))), "Easy Diffusion", "sd-v1-5", "5", "garden"),
    "Draw Things": (
        with_xmp(xmp(f"<exif:UserComment>{json.dumps(DRAW)}</exif:UserComment>"), "PNG"),
        "Draw Things", "sdxl_base", "5", "garden"),
    "Midjourney": (png_text(Description=f"a garden --ar 3:2 --v 6.1 {JOB}"), "Midjourney", "", "", "garden"),
    "Midjourney in EXIF": (with_exif(exif_block({0x010E: f"a garden --v 6 {JOB}"})), "Midjourney", "", "", "garden"),
    "OpenAI": (with_exif(exif_block({0x0131: "OpenAI DALL·E 3"})), "OpenAI DALL-E", "", "", ""),
    "Gemini": (with_xmp(xmp(attributes='xmp:CreatorTool="Google Gemini"')), "Google Gemini/Imagen", "", "", ""),
    "Imagen": (png_text(Software="Imagen 4"), "Google Gemini/Imagen", "", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_tool_is_named_and_its_settings_are_read(case):
    data, tool, model, seed, word = CASES[case]
    signal = read("generator", data)
    assert (signal.points_to, signal.strength) == (Label.AI, Strength.STRONG)
    detail = signal.detail
    assert detail["tool"] == tool
    assert detail.get("model", "") == model
    assert detail.get("seed", "") == seed
    assert word in detail.get("prompt", "")


def test_the_hidden_form_says_that_it_was_hidden():
    assert read("generator", stealth(A1111, b"stealth_pnginfo")).detail["hidden"] is True


@pytest.mark.parametrize(
    "innocent",
    [
        plain(),
        png_text(Comment="Steps: 3 eggs, 200 g of sugar"),
        png_text(Description="my Midjourney and DALL-E experiments", Title="ComfyUI tutorial"),
        png_text(Software="Editor de imagen", Author="Gemini Diaz"),
        png_text(prompt="a shell prompt", Comment='{"model": "EOS"}'),
        with_exif(user_comment("Steps: 12, altitude: 1200 m")),
        with_exif(exif_block({0x010F: "Canon", 0x0131: "Adobe Photoshop 25.0 (Windows)"})),
        with_exif(exif_block({0x010E: "Job ID: 1234"})),
    ],
)
def test_look_alikes_are_left_alone(innocent):
    assert read("generator", innocent).points_to is None


def test_a_workflow_that_only_enlarges_is_weak():
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": "me.jpg"}},
             "2": {"class_type": "ImageUpscaleWithModel", "inputs": {"image": ["1", 0]}}}  # fmt: skip
    signal = read("generator", png_text(prompt=json.dumps(graph)))
    assert (signal.points_to, signal.strength) == (Label.AI, Strength.WEAK)
    assert signal.detail["state"] == "processing"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("parameters", "{" * 50_000),
        ("parameters", "free words without settings"),
        ("workflow", '{"nodes": 3}'),
        ("sd-metadata", "[]"),
        ("Dream", '"unfinished'),
    ],
)
def test_malformed_generator_text_is_named_and_no_evidence(keyword, value):
    signal = read("generator", png_raw_text(keyword, value))
    assert signal.detail["state"] == "unreadable"
    assert signal.points_to is None


def test_graphs_that_point_at_themselves_end():
    loop = {"1": {"class_type": "KSampler", "inputs": {"positive": ["2", 0]}},
            "2": {"class_type": "CLIPTextEncode", "inputs": {"text": ["2", 0]}}}  # fmt: skip
    assert read("generator", png_text(prompt=json.dumps(loop))).detail["tool"] == "ComfyUI"


def test_a_damaged_hidden_text_is_named():
    data = stealth("x" * 4000, b"stealth_pnginfo", size=(96, 128))
    assert read("generator", data).detail["state"] == "unreadable"


def test_long_lines_take_no_longer_than_short_ones_deserve():
    start = time.process_time()
    read("generator", png((b"tEXt", b"parameters\0" + b"a, " * 500_000 + b"\nSteps: 1" + b" b" * 500_000)))
    assert time.process_time() - start < 6


def test_text_cannot_break_the_result():
    lone = json.dumps(FOOOCUS).replace("a garden", "\\ud800 garden")
    read("generator", png_text(parameters=lone)).model_dump_json()


@pytest.mark.parametrize(
    "hostile",
    [
        "\n" * 2_000_000,
        "\n" + " " * 2_000_000 + "Steps: x",
        "Steps: 1, " * 200_000,
        '"' * 1_000_000,
        "[" * 1_000_000,
    ],
)
def test_no_text_takes_long(hostile):
    start = time.process_time()
    for keyword in ("parameters", "prompt", "Dream", "Description"):
        read("generator", png_raw_text(keyword, hostile))
    assert time.process_time() - start < 20


def test_no_graph_takes_long():
    names = ("text", "text_g", "t5xxl", "clip_l", "prompt", "string", "value", "conditioning", "positive")
    graph = {
        str(number): {"class_type": "KSampler", "inputs": {key: [str(number + 1), 0] for key in names}}
        for number in range(2000)
    }
    start = time.process_time()
    assert read("generator", png_text(prompt=json.dumps(graph))).detail["tool"] == "ComfyUI"
    assert time.process_time() - start < 20
