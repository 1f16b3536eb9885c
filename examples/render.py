"""Renders the drawn pictures of this folder: a small ray tracer with numpy, no generative model involved.

python examples/render.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, PngImagePlugin

FOLDER = Path(__file__).parent
WIDTH, HEIGHT, OVERSAMPLING = 640, 480, 2
LIGHT = np.array([-0.5, 0.8, -0.6]) / np.linalg.norm([-0.5, 0.8, -0.6])
SPHERES = (  # centre, radius, colour
    ((-1.3, -0.2, 4.2), 0.8, (0.80, 0.25, 0.18)),
    ((0.4, -0.45, 3.2), 0.55, (0.15, 0.45, 0.70)),
    ((1.5, 0.1, 5.0), 1.1, (0.85, 0.70, 0.30)),
)
XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def hits(origin: np.ndarray, ray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the nearest sphere along each ray and its number, -1 for none."""
    nearest = np.full(ray.shape[:-1], np.inf)
    which = np.full(ray.shape[:-1], -1)
    for number, (centre, radius, _) in enumerate(SPHERES):
        to_origin = origin - np.array(centre)
        half_b = (to_origin * ray).sum(-1)
        root = half_b**2 - ((to_origin**2).sum(-1) - radius**2)
        distance = -half_b - np.sqrt(np.maximum(root, 0))
        closer = (root > 0) & (distance > 1e-3) & (distance < nearest)
        nearest[closer], which[closer] = distance[closer], number
    return nearest, which


def colour_of(origin: np.ndarray, ray: np.ndarray, depth: int) -> np.ndarray:
    """Light that comes back along each ray: matt floor, shaded spheres, mirrored ``depth`` times."""
    nearest, which = hits(origin, ray)
    height = ray[..., 1:2]
    sky = np.array([0.95, 0.97, 1.0]) * (1 - np.clip(height, 0, 1)) + np.array([0.35, 0.55, 0.85]) * np.clip(
        height, 0, 1
    )
    picture = sky.copy()
    floor_distance = np.where(ray[..., 1] < -1e-4, (-1.0 - origin[..., 1]) / np.minimum(ray[..., 1], -1e-4), np.inf)
    on_floor = floor_distance < nearest
    point = origin + ray * np.where(np.isfinite(floor_distance), floor_distance, 0)[..., None]
    tiles = (np.floor(point[..., 0]) + np.floor(point[..., 2])) % 2
    floor = np.where(tiles[..., None] > 0, [0.82, 0.80, 0.76], [0.32, 0.36, 0.38])
    shadow = hits(point + LIGHT * 1e-3, np.broadcast_to(LIGHT, ray.shape))[1] >= 0
    haze = np.exp(-0.06 * np.where(np.isfinite(floor_distance), floor_distance, 0))[..., None]
    lit = floor * np.where(shadow, 0.45, 1.0)[..., None] * haze + sky * (1 - haze)
    picture[on_floor] = lit[on_floor]
    for number, (centre, radius, colour) in enumerate(SPHERES):
        seen = (which == number) & ~on_floor
        at = origin + ray * np.where(np.isfinite(nearest), nearest, 0)[..., None]
        normal = (at - np.array(centre)) / radius
        diffuse = np.clip((normal * LIGHT).sum(-1), 0, 1)[..., None]
        mirrored = ray - 2 * (ray * normal).sum(-1, keepdims=True) * normal
        shine = np.clip((mirrored * LIGHT).sum(-1), 0, 1)[..., None] ** 40
        shaded = np.array(colour) * (0.2 + 0.8 * diffuse) + 0.6 * shine
        if depth > 0:
            shaded = 0.75 * shaded + 0.25 * colour_of(at + normal * 1e-3, mirrored, depth - 1)
        picture[seen] = shaded[seen]
    return picture


def spheres() -> Image.Image:
    """Three spheres on a tiled floor, antialiased."""
    width, height = WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(0.75, -0.75, height))
    ray = np.stack([x, y - 0.12, np.full_like(x, 1.5)], -1)
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    light = np.clip(colour_of(np.zeros_like(ray), ray, 2), 0, 1) ** (1 / 2.2)
    return Image.fromarray((light * 255).astype(np.uint8)).resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def clouds() -> Image.Image:
    """Soft fractal clouds: sums of blurred noise."""
    rng = np.random.default_rng(7)
    total = np.zeros((HEIGHT, WIDTH))
    for octave in range(6):
        small = rng.random((HEIGHT >> (6 - octave), WIDTH >> (6 - octave)))
        layer = Image.fromarray((small * 255).astype(np.uint8)).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        total += np.asarray(layer, float) / 255 / 1.8**octave
    amount = np.clip((total - total.min()) / (np.ptp(total)) * 1.8 - 0.6, 0, 1)[..., None]
    picture = amount * np.array([250, 250, 252]) + (1 - amount) * np.array([70, 120, 190])
    return Image.fromarray(picture.astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.6))


if __name__ == "__main__":
    spheres().save(FOLDER / "rendered-spheres.webp", quality=92, method=6)
    labelled = PngImagePlugin.PngInfo()
    labelled.add_itxt("XML:com.adobe.xmp", XMP)
    clouds().save(FOLDER / "labelled-clouds.png", pnginfo=labelled, optimize=True)
