"""Makes small files that carry every kind of mark; shared by the room's tests and by the fuzzing script."""

import gzip
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

from madeby.provenance.material import Material, ReadingOptions
from madeby.provenance.registry import READERS

KEYS = Path(__file__).parent / "keys"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
A1111 = (
    "a lighthouse, oil on canvas\nNegative prompt: blurry, text\nSteps: 20, Sampler: DPM++ 2M, "
    'CFG scale: 7, Seed: 1234, Size: 512x512, Model: sd_xl_base, Lora hashes: "a: 1, b: 2", Version: v1.10.1'
)
COMFY = {
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": 42, "steps": 30, "cfg": 5.5, "sampler_name": "euler", "positive": ["6", 0]},
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "flux1-dev.safetensors"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a quiet harbour"}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "people"}},
}


def read(name, data, pixels=None, **options):
    """One reader's signal about a file."""
    return READERS[name](Material(data, pixels=pixels, options=ReadingOptions(**options)))


def smooth(width=64, height=48, seed=0):
    """A soft seeded picture, (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def plain(form="JPEG", pixels=None, **options):
    """A picture file of one format as Pillow writes it."""
    if form in ("HEIF", "AVIF"):
        pillow_heif.register_heif_opener()
    out = io.BytesIO()
    Image.fromarray(smooth() if pixels is None else pixels).save(out, form, **options)
    return out.getvalue()


def png_chunk(kind, body, checksum=None):
    checksum = zlib.crc32(kind + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png(*chunks, pixels=None):
    """A PNG file with chunks put in front of its pixels; a chunk is (kind, body) or ready-made bytes."""
    data = plain("PNG", pixels)
    added = b"".join(chunk if isinstance(chunk, bytes) else png_chunk(*chunk) for chunk in chunks)
    return data[:33] + added + data[33:]


def png_text(**texts):
    """A PNG file with text chunks."""
    return png(*((b"tEXt", name.encode() + b"\0" + text.encode()) for name, text in texts.items()))


def png_raw_text(keyword, text):
    return png((b"tEXt", keyword.encode() + b"\0" + text.encode()))


def jpeg_segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(*segments, pixels=None):
    """A JPEG file with segments, each (marker, body), put behind its first marker."""
    data = plain("JPEG", pixels)
    return data[:2] + b"".join(jpeg_segment(*segment) for segment in segments) + data[2:]


def exif_block(image=None, photo=None, gps=None):
    """An EXIF block, beginning with its TIFF header."""
    exif = Image.Exif()
    exif.update(image or {})
    for pointer, tags in ((0x8769, photo), (0x8825, gps)):
        if tags:
            exif.get_ifd(pointer).update(tags)
    return exif.tobytes().removeprefix(b"Exif\0\0")


def camera_exif(**more):
    image = {0x010F: "Canon", 0x0110: "Canon EOS 7D", 0x0132: "2024:05:01 10:00:00", **more}
    photo = {0x829A: 0.01, 0x829D: 8.0, 0x8827: 200, 0x9003: "2024:05:01 10:00:00", 0xA434: "EF 50mm"}
    return exif_block(image, photo, {1: "N", 2: (50.0, 0.0, 0.0)})


def with_exif(block, form="JPEG"):
    if form == "JPEG":
        return jpeg((0xE1, b"Exif\0\0" + block))
    return png((b"eXIf", block)) if form == "PNG" else plain(form, exif=b"Exif\0\0" + block)


def user_comment(text, encoding="utf-16-be"):
    code = b"UNICODE\0" if encoding.startswith("utf-16") else b"ASCII\0\0\0"
    return exif_block(photo={0x9286: code + text.encode(encoding)})


def xmp(properties="", attributes=""):
    """An XMP packet with elements and attributes of one description."""
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" xmlns:dcterms="http://purl.org/dc/terms/" '
        f'xmlns:exif="http://ns.adobe.com/exif/1.0/" {attributes}>{properties}'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def source_type_xmp(name):
    return xmp(attributes=f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}{name}"')


def with_xmp(packet, form="JPEG"):
    if form == "JPEG":
        return jpeg((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
    if form == "PNG":
        return png((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))
    if form == "GIF":
        data = plain("GIF")
        ramp = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
        return data[:-1] + b"!\xff\x0bXMP DataXMP" + packet + ramp + data[-1:]
    if form == "TIFF":
        return plain("TIFF", tiffinfo={700: packet})
    return plain(form, xmp=packet)


def iim(**fields):
    """Photoshop resources with IPTC-IIM fields by data set number, such as ``f110="credit"``."""
    block = b""
    for name, text in fields.items():
        body = text.encode()
        block += b"\x1c\x02" + bytes([int(name[1:])]) + struct.pack(">H", len(body)) + body
    padded = block + b"\0" * (len(block) % 2)
    return b"Photoshop 3.0\x00" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(block)) + padded


def stealth(text, magic=b"stealth_pngcomp", size=(96, 128)):
    """A PNG file with text hidden in the lowest bits of its alpha channel, or of its colours."""
    return stealth_with(
        gzip.compress(text.encode(), mtime=0) if magic.endswith(b"comp") else text.encode(), magic, size
    )


def stealth_with(body, magic=b"stealth_pngcomp", size=(96, 128)):
    """A PNG file with these bytes hidden behind the magic word, as many as it can hold."""
    bits = np.unpackbits(np.frombuffer(magic + struct.pack(">I", 8 * len(body)) + body, np.uint8))
    pixels = np.dstack([smooth(*size), np.full(size[::-1], 255, np.uint8)])
    columns = pixels.transpose(1, 0, 2).copy()
    part = columns[..., 3:] if magic.startswith(b"stealth_png") else columns[..., :3]
    flat = part.reshape(-1).copy()
    bits = bits[: len(flat)]
    flat[: len(bits)] = flat[: len(bits)] & 0xFE | bits
    part[...] = flat.reshape(part.shape)
    return plain("PNG", columns.transpose(1, 0, 2))


def signed(
    source_type="trainedAlgorithmicMedia",
    form="JPEG",
    label="c2pa.actions.v2",
    ingredient=None,
    action=None,
    original=None,
):
    """A picture with Content Credentials, signed by the test signer."""
    import c2pa

    action = action or {"action": "c2pa.created"}
    if source_type:
        action = {**action, "digitalSourceType": SOURCE_TYPE + source_type}
    manifest = {
        "claim_generator_info": [{"name": "test maker", "version": "1"}],
        "assertions": [{"label": label, "data": {"actions": [action]}}],
    }
    if ingredient:
        manifest["assertions"] = []
    info = c2pa.C2paSignerInfo(b"es256", (KEYS / "signer.pem").read_bytes(), (KEYS / "signer.key").read_bytes(), None)
    settings = {"version": 1, "verify": {"verify_after_sign": False}, "builder": {"thumbnail": {"enabled": False}}}
    mime = {"HEIF": "image/heic"}.get(form, f"image/{form.lower()}")
    out = io.BytesIO()
    with c2pa.Context.from_dict(settings) as context, c2pa.Builder(json.dumps(manifest), context) as builder:
        if ingredient:
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        with c2pa.Signer.from_info(info) as signer:
            builder.sign(signer, mime, io.BytesIO(ingredient or original or plain(form)), out)
    return out.getvalue()


def inner_blocks():
    """Metadata blocks with functions that wrap them into intact files, whatever the block's bytes have become."""

    def text_chunk(keyword):
        return lambda block: png((b"tEXt", keyword + b"\0" + block))

    def segment(marker, start=b""):
        return lambda block: jpeg((marker, start + block[:65_000]))

    manifest_store = next(body for kind, body in png_chunks(signed(form="PNG")) if kind == b"caBX")
    jpeg_jumbf = signed(form="JPEG")
    jumbf_length = struct.unpack(">H", jpeg_jumbf[jpeg_jumbf.index(b"\xff\xeb") + 2 :][:2])[0]
    jumbf_start = jpeg_jumbf.index(b"\xff\xeb") + 4
    return [
        (segment(0xE1, b"Exif\0\0"), camera_exif()),
        (segment(0xE1, b"Exif\0\0"), user_comment(A1111)),
        (lambda block: block, plain("TIFF", tiffinfo={700: source_type_xmp("digitalCapture"), 271: "Canon"})),
        (segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0"), source_type_xmp("trainedAlgorithmicMedia")),
        (segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0"), b"0" * 32 + b"\0" * 8 + xmp()),
        (segment(0xED), iim(f80="somebody", f110="Made with Google AI")),
        (segment(0xEB), jpeg_jumbf[jumbf_start : jumbf_start + jumbf_length - 2]),
        (lambda block: png((b"caBX", block)), manifest_store),
        (lambda block: png((b"iTXt", block)), b"XML:com.adobe.xmp\0\0\0\0\0" + xmp()),
        (lambda block: png((b"zTXt", b"parameters\0\0" + block)), zlib.compress(A1111.encode())),
        (text_chunk(b"parameters"), A1111.encode()),
        (text_chunk(b"parameters"), b'{"sui_image_params": {"prompt": "a", "seed": 1}}'),
        (text_chunk(b"prompt"), json.dumps(COMFY).encode()),
        (text_chunk(b"workflow"), b'{"nodes": [{"type": "KSampler"}, {"type": "SaveImage"}]}'),
        (text_chunk(b"sd-metadata"), b'{"app_id": "x", "image": {"prompt": [{"prompt": "a [b]"}], "seed": 1}}'),
        (text_chunk(b"invokeai_metadata"), b'{"positive_prompt": "a", "model": {"name": "m"}, "seed": 1}'),
        (text_chunk(b"Dream"), b'"a boat [rain]" -S 1 -s 20 -A k_lms -C 7.5'),
        (text_chunk(b"AIGC"), b'{"Label": "1", "ContentProducer": "x"}'),
        (text_chunk(b"Raw profile type exif"), b"\nexif\n  20\n" + camera_exif().hex().encode()),
        (stealth_with, gzip.compress(b'{"Comment": "{}", "Software": "NovelAI"}')),
    ]


def png_chunks(data):
    """The chunks of a PNG file as (kind, body)."""
    position = 8
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        yield data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        position += 12 + length


def every_kind():
    """One small file of every kind of mark and container, by name."""
    files = {f"plain {form}": plain(form) for form in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "HEIF", "AVIF", "BMP")}
    for form in ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"):
        files[f"exif {form}"] = with_exif(camera_exif(), form)
    for form in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "HEIF", "AVIF"):
        files[f"xmp {form}"] = with_xmp(source_type_xmp("trainedAlgorithmicMedia"), form)
    for form in ("JPEG", "PNG", "WEBP", "TIFF"):
        files[f"c2pa {form}"] = signed(form=form)
    files["iim"] = jpeg((0xED, iim(f80="somebody", f110="Made with Google AI")))
    files["a1111"] = png_text(parameters=A1111)
    files["a1111 comment"] = with_exif(user_comment(A1111))
    files["comfyui"] = png_text(prompt=json.dumps(COMFY), workflow=json.dumps({"nodes": [{"type": "KSampler"}]}))
    files["invokeai"] = png_text(invokeai_metadata='{"seed": 1}', Dream='"a" -S 1 -s 2')
    files["compressed text"] = png((b"zTXt", b"parameters\0\0" + zlib.compress(A1111.encode())))
    files["stealth"] = stealth(json.dumps({"Comment": "{}", "Software": "NovelAI"}))
    return files
