#!/usr/bin/env python3
"""Turns Fashion-MNIST's test (or training) images into one .npz.

    python utils/make_fashion_npz.py -o build/fashion-test.npz
    python utils/make_fashion_npz.py --train -o build/fashion-train.npz

Keys: `image`, f32 [N, 1, 28, 28], pixels / 255 (the demo model's input), and
`label`, i64 [N]; N is 10,000, or 60,000. Reads the files of Debian's package dataset-fashion-mnist
and needs nothing but NumPy.
"""

import argparse
import gzip
import pathlib

import numpy as np

DATASET = pathlib.Path("/usr/share/datasets/fashion-mnist")


def read_idx(path):
    """One IDX file (big-endian header: two zeros, type, rank, dims) as u8."""
    try:
        data = gzip.decompress(path.read_bytes())
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror or error}; "
                         "it is part of Debian's package dataset-fashion-mnist")
    if data[:3] != b"\0\0\x08":
        raise SystemExit(f"{path}: not an IDX file of unsigned bytes")
    rank = data[3]
    shape = np.frombuffer(data, ">u4", rank, 4).astype(int)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=pathlib.Path, default=DATASET)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--train", action="store_true", help="the 60,000 training images")
    options = parser.parse_args()
    split = "train" if options.train else "t10k"
    images = read_idx(options.data / f"{split}-images-idx3-ubyte.gz")
    labels = read_idx(options.data / f"{split}-labels-idx1-ubyte.gz")
    np.savez_compressed(options.output,
                        image=images[:, None].astype(np.float32) / np.float32(255),
                        label=labels.astype(np.int64))
    print(f"{options.output}: {len(images)} images")


if __name__ == "__main__":
    main()
