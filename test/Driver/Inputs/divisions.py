#!/usr/bin/env python3
"""Integer divisions by everything, against their definitions.

    divisions.py data DATA.npz
    divisions.py check DATA.npz RESULT.npz
"""
import sys

import numpy as np

LEAST, GREATEST = -2 ** 31, 2 ** 31 - 1


def make_data(path):
    numbers = [LEAST, LEAST + 1, -7, -1, 0, 1, 2, 9, GREATEST]
    pairs = np.array([(x, y) for x in numbers for y in numbers] + [(5, 3)] * 3, np.int32)
    a, b = pairs.T.reshape(2, 4, 3, 7)
    np.savez(path, a=a, b=b, codes=np.random.default_rng(0).integers(0, 256, (4, 1, 1, 5, 8)).astype(np.uint8))


def main():
    if sys.argv[1] == "data":
        make_data(sys.argv[2])
        return
    data, results = np.load(sys.argv[2]), np.load(sys.argv[3])
    a, b = data["a"].astype(np.int64), data["b"].astype(np.int64)
    divisor = np.where(b == 0, 1, b)
    quotient = np.abs(a) // np.abs(divisor) * np.sign(a) * np.sign(divisor)
    expected = {"quotient": np.where(b == 0, 0, quotient), "truncated": np.where(b == 0, 0, a - quotient * b), "floored": np.where(b == 0, 0, a % divisor),
                "rests": results["sums"].astype(np.int64) % (np.arange(48) % 5 + 1).reshape(8, 1, 6)}
    wrong = [name for name, values in expected.items() if (results[name].reshape(values.shape) != values.astype(np.int32)).any()]
    print(f"{len(expected)} results, {len(wrong)} wrong {' '.join(wrong)}")


if __name__ == "__main__":
    main()
