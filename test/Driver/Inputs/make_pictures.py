"""Folders of pictures for pictures.test, into the folder given.

gray/     the first 96 Fashion-MNIST images of models/demo/calibration.npz as PNG, 28x28, and the same as gray.npz
framed/   the same in a frame of 6 pixels, which crop=28 takes off again
pixels/   the same as an .npz of u8 pixels [N, 28, 28, 1]
colour/   twelve 60x40 pictures in colour
bad/      a picture that is cut off, and one too small for a crop of 28
"""
import pathlib
import struct
import sys
import zlib

import numpy as np


def write_png(path, pixels):
    """An 8-bit PNG of [height, width] gray or [height, width, 3] RGB pixels."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape[:2]
    colour = 2 if pixels.ndim == 3 else 0
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def colour_picture(seed):
    """Waves in three colours, with noise."""
    y, x = np.mgrid[0:40, 0:60]
    waves = np.stack([np.sin(x / (5 + seed)), np.cos(y / (4 + seed)), np.sin((x + y) / 9 + seed)], axis=-1)
    noise = np.random.default_rng(seed).normal(size=waves.shape)
    return (128 + 90 * waves + 12 * noise).clip(0, 255).astype(np.uint8)


def main(calibration, folder):
    folder = pathlib.Path(folder)
    images = np.load(calibration)["image"][:96]
    pixels = np.rint(images * 255).astype(np.uint8)
    for name in ("gray", "framed", "colour", "bad"):
        (folder / name).mkdir(parents=True)
    np.savez(folder / "gray.npz", image=images)
    np.savez(folder / "pixels.npz", image=pixels.transpose(0, 2, 3, 1))
    for index, (picture,) in enumerate(pixels):
        write_png(folder / "gray" / f"{index:03}.png", picture)
        write_png(folder / "framed" / f"{index:03}.png", np.pad(picture, 6, constant_values=200))
    for index in range(12):
        write_png(folder / "colour" / f"{index:03}.png", colour_picture(index))
    whole = (folder / "gray" / "000.png").read_bytes()
    (folder / "bad" / "cut.png").write_bytes(whole[:len(whole) // 2])
    write_png(folder / "bad" / "small.png", pixels[0, 0, :20, :20])


if __name__ == "__main__":
    main(*sys.argv[1:])
