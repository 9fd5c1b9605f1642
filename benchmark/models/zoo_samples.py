"""Inputs for the models of zoo.json: pictures, lines of text, speech, curves like those of a sleeping brain, and files.

Each maker gives calibration and evaluation samples for one model, which never share a picture's crop, a recording or a file: a pair of
dictionaries by input name, arrays [samples, *shape of the input].
"""

import importlib.util
import pathlib
import subprocess
import sys
import sysconfig
import tarfile
import wave

import numpy as np
import scipy.signal
import skimage.color
import skimage.data
import skimage.transform

from crops import make_crops


def split(values, names):
    """Every second sample calibrates."""
    return {names: values[0::2]}, {names: values[1::2]}


# Pictures

def pictures(shapes, mean=(0, 0, 0), deviation=(1, 1, 1), scale=1, layout="nchw", order="rgb", count=48, **_):
    """Crops of scikit-image's pictures; pixels in 0 .. 1 become (pixel * scale - mean) / deviation."""
    (name, shape), = shapes.items()
    height, width = shape[2:] if layout == "nchw" else shape[1:3]
    values = np.stack([skimage.transform.resize(crop, (height, width), anti_aliasing=True) for crop in make_crops(count)])
    values = (values * scale - mean) / deviation
    if order == "bgr":
        values = values[..., ::-1]
    if layout == "nchw":
        values = values.transpose(0, 3, 1, 2)
    return split(values.astype(np.float32)[:, None], name)


def lines(shapes, mean=0, deviation=1, count=48, **_):
    """Windows of two pages of text about as high as a line; grey in 0 .. 1 becomes (grey - mean) / deviation, the same in each channel."""
    (name, shape), = shapes.items()
    random, values = np.random.default_rng(0), []
    for i in range(count):
        picture = (skimage.data.page, skimage.data.text)[i // 2 % 2]() / 255.0
        high = int(random.integers(18, 32))
        wide = min(picture.shape[1], high * shape[3] // shape[2])
        top, left = random.integers(0, picture.shape[0] - high + 1), random.integers(0, picture.shape[1] - wide + 1)
        values.append(skimage.transform.resize(picture[top:top + high, left:left + wide], shape[2:], anti_aliasing=True))
    values = (np.stack(values) - mean) / deviation
    return split(np.broadcast_to(values.astype(np.float32)[:, None, None], (count, *shape)), name)


def pairs(shapes, count=48, **settings):
    """Two pictures, alike (one is the other, mirrored and darker) in every second sample."""
    first, second = shapes
    both = []
    for part in pictures({first: shapes[first]}, count=count, layout="nhwc", **settings):
        values = part[first]
        alike = np.arange(len(values)).reshape(-1, 1, 1, 1, 1) % 2 == 0
        both.append({first: values, second: np.where(alike, values[:, :, :, ::-1] * np.float32(0.9), np.roll(values, 1, 0))})
    return tuple(both)


# Speech

def recording(name, rate, folder):
    """A recording of somebody singing from the source distribution of basic-pitch, at another rate, in -1 .. 1."""
    archive = next(folder.glob("basic_pitch-*.tar.gz"), None)
    if not archive:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(folder), "basic-pitch"],
                       check=True)
        archive = next(folder.glob("basic_pitch-*.tar.gz"))
    with tarfile.open(archive) as files:
        member = next(m for m in files.getmembers() if m.name.endswith(f"/{name}.wav"))
        with wave.open(files.extractfile(member)) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16) / 32768
            common = np.gcd(rate, sound.getframerate())
            return scipy.signal.resample_poly(samples, rate // common, sound.getframerate() // common)


def windows(rate, length, count, folder):
    """For calibration and evaluation `count` windows of a recording each, which goes round in a circle, at volumes from 0.25 to 1."""
    both = []
    for name in ("vocadito_10", "vocadito_14"):
        sound = recording(name, rate, folder)
        starts = np.arange(count) * len(sound) // count
        both.append(np.stack([np.take(sound, start + np.arange(length), mode="wrap") * volume
                              for start, volume in zip(starts, np.linspace(0.25, 1, count))]))
    return both


def speech(shapes, folder, rate=16000, count=24, **_):
    (name, shape), = shapes.items()
    return tuple({name: part.reshape(count, *shape).astype(np.float32)} for part in windows(rate, int(np.prod(shape)), count, folder))


def silero(shapes, folder, count=24, **_):
    """Pieces of 512 samples with the 64 before them; states are zeros before the first piece."""
    pieces = shapes["input"][0]
    both = []
    for part in windows(16000, 64 + 512 * pieces, count, folder):
        cut = np.stack([part[:, 512 * i:512 * i + 576] for i in range(pieces)], 1)
        both.append({name: cut.astype(np.float32) if name == "input" else np.zeros((count, *shape), np.float32)
                     for name, shape in shapes.items()})
    return tuple(both)


def silero_stream(shapes, folder, session, count=64, **_):
    """One piece after the other, each with the state that the float model has there."""
    both = []
    for part in windows(16000, 64 + 512 * count, 1, folder):
        state, rows = np.zeros(shapes["state"], np.float32), []
        for i in range(count):
            piece = part[0, None, 512 * i:512 * i + 576].astype(np.float32)
            rows.append((piece, state))
            state = session.run(["stateN"], {"input": piece, "state": state, "sr": np.array(16000)})[0]
        both.append({"input": np.stack([row[0] for row in rows]), "state": np.stack([row[1] for row in rows])})
    return tuple(both)


def spectra(shapes, folder, count=16, **_):
    """Logarithmic power spectra, as plcmos computes them, and random raters."""
    frames, bins = shapes["degraded_audio"][2:]
    hop, random, both = bins - 1, np.random.default_rng(0), []
    for part in windows(16000, hop * (frames + 1), count, folder):
        cut = np.stack([part[:, hop * i:hop * (i + 2)] for i in range(frames)], 1) * np.hamming(2 * hop + 1)[:-1]
        power = np.abs(np.fft.rfft(cut)) ** 2
        both.append({"degraded_audio": (np.log(np.maximum(power, 1e-12)) / 20).astype(np.float32).reshape(count, *shapes["degraded_audio"]),
                     "rater_embed": random.normal(size=(count, *shapes["rater_embed"])).astype(np.float32)})
    return tuple(both)


# Curves of a brain

def brain_curves(count, length, rate, random):
    """Noise whose spectrum falls with the frequency, and in it six waxing and waning bursts of 11 to 15 Hz, as in light sleep."""
    frequency, time = np.fft.rfftfreq(length, 1 / rate), np.arange(length) / rate
    rows = []
    for _ in range(count):
        spectrum = (random.normal(size=len(frequency)) + 1j * random.normal(size=len(frequency))) / np.maximum(frequency, 0.5)
        row = np.fft.irfft(spectrum, length)
        row /= row.std()
        for _ in range(6):
            envelope = random.uniform(0.5, 2) * np.exp(-((time - random.uniform(1, length / rate - 1)) / 0.4) ** 2)
            row += envelope * np.sin(2 * np.pi * random.uniform(11, 15) * time)
        rows.append(row)
    return np.stack(rows)


def spindles(shapes, count=24, **_):
    """Curves and their scalograms, by the package's own wavelets, each with mean 0 and deviation 1."""
    origin = pathlib.Path(importlib.util.find_spec("brainmaze_eeg_models").origin)
    specification = importlib.util.spec_from_file_location("wavelets", origin.parent / "spindles" / "_cwt.py")
    wavelets = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(wavelets)

    def normalize(values):
        return ((values - values.mean(-1, keepdims=True)) / values.std(-1, keepdims=True)).astype(np.float32)
    curves = brain_curves(count, shapes["raw_signal"][2], wavelets.FS, np.random.default_rng(0))
    values = {"raw_signal": normalize(curves)[:, None, None], "spectrogram": normalize(wavelets.scalogram(curves))[:, None]}
    return tuple({name: value[part::2] for name, value in values.items()} for part in (0, 1))


# Files

def files(shapes, count=192, **_):
    """The first and last 1,024 bytes of files of this Python, 256 where a file is shorter; white space around them is left out."""
    (name, shape), = shapes.items()
    half = shape[1] // 2
    root = pathlib.Path(sysconfig.get_paths()["purelib"])
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.stat().st_size > 64:
            found.setdefault(path.suffix, []).append(path)
    random, values = np.random.default_rng(0), []
    while len(values) < count:
        for suffix in sorted(found):
            data = found[suffix][random.integers(len(found[suffix]))].read_bytes()
            first, last = data[:4096].lstrip()[:half], data[-4096:].rstrip()[-half:]
            values.append([*first, *[256] * (half - len(first)), *[256] * (half - len(last)), *last])
    values = np.array(values[:count], np.int32)[random.permutation(count)]
    return split(values[:, None], name)
