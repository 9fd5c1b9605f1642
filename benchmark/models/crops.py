"""Crops of the pictures of scikit-image, the same ones at every call."""

import numpy as np
import skimage.data

PICTURES = ("page", "text", "coffee", "rocket", "chelsea", "astronaut", "camera", "coins")
CROPS = 6


def make_crops(count=CROPS * len(PICTURES)):
    """Of half to all of each picture's sides; as many of each picture."""
    random, crops = np.random.default_rng(0), []
    for name in PICTURES:
        picture = getattr(skimage.data, name)()
        picture = np.stack([picture] * 3, -1) if picture.ndim == 2 else picture[..., :3]
        for _ in range(count // len(PICTURES)):
            height, width = (int(side * random.uniform(0.5, 1)) for side in picture.shape[:2])
            top, left = random.integers(0, picture.shape[0] - height + 1), random.integers(0, picture.shape[1] - width + 1)
            crops.append(picture[top:top + height, left:left + width] / 255.0)
    return crops
