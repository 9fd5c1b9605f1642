"""remainders.py DATA.npz: operands of Mod; remainders.py DATA.npz RESULT.npz: the results against C's fmod, bit for bit, and CumProd against NumPy's."""
import sys

import numpy as np

if len(sys.argv) == 2:
    random = np.random.default_rng(3)
    x, y = (random.integers(0, 1 << 32, 4096, dtype=np.uint32).view(np.float32) for _ in range(2))
    y[2048:] = random.uniform(0.5, 9, 2048) * np.where(random.random(2048) < 0.5, -1, 1)  # of ordinary size
    x[3072:] = random.uniform(-99, 99, 1024)
    x, y = (np.where(np.isfinite(v), v, 1).astype(np.float32) for v in (x, y))
    x[:8], y[:8] = [3.4e38, -3.4e38, 5.5, -5.5, 1e-45, 6, -0.0, 7], [1e-45, 3e-45, 2.25, -2.25, 1e38, -3, 3, 0]
    np.savez(sys.argv[1], x=x[None], y=y[None], p=random.uniform(-2, 2, (1, 3, 4)).astype(np.float32))
    sys.exit()
data, result = np.load(sys.argv[1]), np.load(sys.argv[2])
x, y, p = (data[name][0] for name in "xyp")
with np.errstate(invalid="ignore"):
    cases = {"mod": np.fmod(x, y), "constant": np.fmod(x, np.float32(0.7))}
for name, expected in cases.items():
    got = result[name].ravel()
    print(name, int(((got.view(np.int32) != expected.view(np.int32)) & ~(np.isnan(got) & np.isnan(expected))).sum()), "of", got.size, "wrong")
backwards = p[:, ::-1].cumprod(1)[:, ::-1]
ones = np.ones_like(p[:, :1])
products = {"p0": p.cumprod(0), "p1": np.concatenate([ones, p.cumprod(1)[:, :-1]], 1), "p2": backwards, "p3": np.concatenate([backwards[:, 1:], ones], 1)}
print("products", [bool(np.allclose(result[name].reshape(p.shape), e, rtol=1e-6)) for name, e in products.items()])
