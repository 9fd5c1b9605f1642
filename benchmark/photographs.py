#!/usr/bin/env python3
"""Makes calibration.npz and evaluation.npz from photographs.

    python benchmark/photographs.py -o build/photographs

photographs.json names each photograph, where it comes from (a Debian package or
a Python package's data), its SHA-256, and its role: calibration or evaluation,
never both. From each, ten square crops are taken, with size and place drawn by a
generator seeded with the photograph's name, and resized to 224x224. Pixels
become (p - 127) / 128, f32 [n, 3, 224, 224] under the key `image`, which is how
the weights of EfficientNet-Lite0 were trained. calibration.json and
evaluation.json name the photograph of each crop.

Debian packages that are not installed are fetched with `apt-get download` and
unpacked under the output folder.
"""

import argparse
import hashlib
import importlib.util
import json
import pathlib
import subprocess

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
CROPS = 10
SIDE = 224
MEAN, DEVIATION = np.float32(127), np.float32(128)


def debian_file(package, path, cache):
    """The file as installed, else from the package, unpacked once."""
    installed = pathlib.Path("/") / path
    if installed.exists():
        return installed
    root = cache / package
    if not (root / path).exists():
        downloads = cache / "downloads"
        downloads.mkdir(parents=True, exist_ok=True)
        print(f"fetching Debian's {package}", flush=True)
        subprocess.run(["apt-get", "download", "-qq", package], cwd=downloads, check=True)
        archive = max(downloads.glob(f"{package}_*.deb"), key=lambda f: f.stat().st_mtime)
        subprocess.run(["dpkg-deb", "-x", str(archive), str(root)], check=True)
    return root / path


def python_file(path):
    """A data file inside an installed Python package."""
    module, _, rest = path.partition("/")
    spec = importlib.util.find_spec(module)
    if spec is None:
        raise SystemExit(f"Python package {module} is not installed")
    return pathlib.Path(spec.origin).parent / rest


def open_photograph(entry, cache):
    if entry["source"] == "debian":
        path = debian_file(entry["package"], entry["path"], cache)
    else:
        path = python_file(entry["path"])
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise SystemExit(f"{path}: not the file that photographs.json means "
                         "(its SHA-256 differs)")
    with Image.open(path) as image:
        return image.convert("RGB")


def crops(image, name):
    """CROPS squares, 40 to 100 % of the short side, at least 160 pixels."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    generator = np.random.default_rng(seed)
    width, height = image.size
    short = min(width, height)
    for _ in range(CROPS):
        side = max(int(short * generator.uniform(0.4, 1.0)), min(160, short))
        left = int(generator.integers(0, width - side + 1))
        top = int(generator.integers(0, height - side + 1))
        box = (left, top, left + side, top + side)
        small = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)
        pixels = np.asarray(small, np.float32)
        yield np.ascontiguousarray(((pixels - MEAN) / DEVIATION).transpose(2, 0, 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    entries = json.loads((HERE / "photographs.json").read_text())["photographs"]
    for role in ("calibration", "evaluation"):
        chosen = [entry for entry in entries if entry["role"] == role]
        images, names = [], []
        for entry in chosen:
            image = open_photograph(entry, options.output / "packages")
            images += crops(image, entry["name"])
            names += [entry["name"]] * CROPS
        path = options.output / f"{role}.npz"
        np.savez_compressed(path, image=np.stack(images))
        path.with_suffix(".json").write_text(json.dumps(names) + "\n")
        print(f"{path}: {len(images)} crops of {len(chosen)} photographs", flush=True)


if __name__ == "__main__":
    main()
