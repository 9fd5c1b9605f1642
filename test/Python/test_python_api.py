"""The package python/halftone: models run to the bits of `halftone run`, commands as functions, metrics in Python, and mistakes."""
import contextlib
import copy
import os
import pathlib
import pickle
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HALFTONE_BUILD", ROOT / "build"))
os.environ["HALFTONE_HOME"] = str(BUILD)
os.environ["HALFTONE_NUM_THREADS"] = "1"  # where a test does not say: threads that wait for a shared CPU take long
sys.path.insert(0, str(ROOT / "python"))
import halftone  # noqa: E402
from halftone import _arrays, _driver  # noqa: E402

FASHION = ROOT / "models/demo/fashion.onnx"
RESIDUAL = ROOT / "test/Integration/Inputs/residual.onnx"
with np.load(ROOT / "models/demo/calibration.npz") as archive:
    IMAGES = archive["image"][:40]
PICTURES = np.random.default_rng(1).standard_normal((24, 3, 32, 32), np.float32)


def setUpModule():
    global folder, fashion, lines
    folder = pathlib.Path(unittest.enterModuleContext(tempfile.TemporaryDirectory()) if sys.version_info >= (3, 11) else tempfile.mkdtemp())
    lines = []
    fashion = halftone.build(FASHION, data={"image": IMAGES}, dim={"batch": "1..8"}, output=folder / "fashion.so", progress=lines.append)


def onnx_file(*lines):
    """The bytes of a model, described as test/Import/Inputs/make_model.py reads it."""
    text, path = folder / "model.txt", folder / "model.onnx"
    text.write_text("".join(f"MODEL: {line}\n" for line in lines))
    subprocess.run([sys.executable, ROOT / "test/Import/Inputs/make_model.py", text, path], check=True)
    return path.read_bytes()


class OnlyDLPack:
    """What another library's tensor is: no NumPy array, but exportable."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OnlyArray:
    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


class Proto:
    """As onnx.ModelProto."""

    def SerializeToString(self):
        return RESIDUAL.read_bytes()


class Running(unittest.TestCase):
    def test_bits_are_those_of_the_command(self):
        _arrays.write_npz(folder / "x.npz", {"image": IMAGES})
        subprocess.run([BUILD / "bin/halftone", "run", fashion.path, "--input", folder / "x.npz", "-o", folder / "y.npz"], check=True)
        expected = np.load(folder / "y.npz")["logits"]
        self.assertEqual(expected.shape, (40, 10))
        np.testing.assert_array_equal(fashion.run_samples({"image": IMAGES})["logits"], expected)
        for batch in (1, 3, 8):
            np.testing.assert_array_equal(fashion.run({"image": IMAGES[:batch]})["logits"], expected[:batch])
        np.testing.assert_array_equal(fashion(IMAGES[:2]), expected[:2])
        with halftone.Model(fashion.path, threads=2) as parallel:
            self.assertEqual((fashion.threads, parallel.threads), (1, 2))
            np.testing.assert_array_equal(parallel(IMAGES[:8]), expected[:8])

    def test_what_a_model_says(self):
        image, = fashion.inputs
        self.assertEqual((image.name, image.dtype, image.shape), ("image", np.float32, (None, 1, 28, 28)))
        self.assertEqual([(tensor.name, tensor.shape) for tensor in fashion.outputs], [("logits", (None, 10))])
        self.assertEqual(fashion.batch, (1, 8))
        self.assertIn(f"target: {fashion.target}", halftone.info(fashion))
        self.assertIn(f"workspace: {fashion.workspace_bytes} bytes", halftone.info(fashion))
        self.assertIn(fashion.path, repr(fashion))
        self.assertTrue(fashion.report)

    def test_arrays_of_others(self):
        expected = fashion(IMAGES[:2])
        for wrap in (OnlyDLPack, OnlyArray):
            np.testing.assert_array_equal(fashion.run({"image": wrap(IMAGES[:2])})["logits"], expected)
        strided = np.repeat(IMAGES[:2], 2, axis=3)[..., ::2]
        self.assertFalse(strided.flags.c_contiguous)
        np.testing.assert_array_equal(fashion(strided), expected)
        unaligned = np.frombuffer(b"x" + IMAGES[:2].tobytes(), np.float32, offset=1).reshape(IMAGES[:2].shape)
        self.assertFalse(unaligned.flags.aligned)
        np.testing.assert_array_equal(fashion(unaligned), expected)
        np.testing.assert_array_equal(np.from_dlpack(fashion(OnlyDLPack(IMAGES[:2]))), expected)

    def test_given_outputs(self):
        out = np.zeros((2, 10), np.float32)
        self.assertIs(fashion.run({"image": IMAGES[:2]}, out={"logits": out})["logits"], out)
        np.testing.assert_array_equal(out, fashion(IMAGES[:2]))
        with self.assertRaisesRegex(halftone.Error, r"output 'logits' is no contiguous"):
            fashion.run({"image": IMAGES[:2]}, out={"logits": np.zeros((10, 2), np.float32).T})
        with self.assertRaises(halftone.Error) as caught:
            fashion.run({"image": IMAGES[:2]}, out={"logits": np.zeros((3, 10)), "other": out})
        for part in ("there is no output 'other'", "output 'logits' has elements of type f32", "'logits' is float64"):
            self.assertIn(part, str(caught.exception))

    def test_all_mistakes_in_one_message(self):
        with self.assertRaises(halftone.Error) as caught:
            fashion.run({"image": IMAGES[:2].astype(np.float64), "label": np.zeros(3, np.int32)})
        for part in ("there is no input 'label'; the model has 'image'", "type f32, the array has", "'image' is float64"):
            self.assertIn(part, str(caught.exception))
        self.assertEqual(caught.exception.status, halftone.Status.INVALID_ARGUMENT)
        for inputs, message in (({}, "input 'image' is not given"),
                                ({"image": IMAGES[:2, 0]}, r"input 'image' has shape \[batch, 1, 28, 28\], the array has \[2, 28, 28\]"),
                                ({"image": IMAGES[:2, :, 1:]}, r"the array has \[2, 1, 27, 28\]"),
                                ({"image": IMAGES[:9]}, "the batch is 9, the model is compiled for 1 to 8")):
            with self.assertRaisesRegex(halftone.Error, message):
                fashion.run(inputs)
        with self.assertRaisesRegex(halftone.Error, "'image' has no samples"):
            fashion.run_samples({"image": IMAGES[:0]})

        with self.assertRaisesRegex(TypeError, "by the names of the model's outputs.* not list"):
            fashion.run({"image": IMAGES[:1]}, out=[np.zeros((1, 10), np.float32)])
        for runs in (0, -1):
            with self.assertRaisesRegex(ValueError, rf"profile\(runs={runs}\): it takes 1 or more"):
                fashion.profile({"image": IMAGES[:1]}, runs=runs)
        for call in (fashion.run, fashion.run_samples, fashion.profile):
            with self.assertRaisesRegex(TypeError, "by the names of the model's inputs"):
                call(IMAGES[:1])

    def test_copies(self):
        model = halftone.Model(fashion.path, threads=2)
        for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            model.close()
            np.testing.assert_array_equal(other(IMAGES[:3]), fashion(IMAGES[:3]))
            self.assertEqual(other.threads, 2)

    def test_paths_in_bytes(self):
        model = halftone.Model(os.fsencode(fashion.path))
        self.assertEqual(model.path, fashion.path)
        self.assertEqual(halftone.info(model), halftone.info(fashion))

    def test_files_that_are_no_models(self):
        for path, status in ((folder / "none.so", halftone.Status.CANNOT_READ), (FASHION, halftone.Status.NOT_AN_ARTEFACT)):
            with self.assertRaisesRegex(halftone.Error, path.name) as caught:
                halftone.Model(path)
            self.assertEqual(pickle.loads(pickle.dumps(caught.exception)).status, status)
            self.assertEqual(caught.exception.status, status)

    def test_closed_models(self):
        with halftone.Model(fashion.path) as model:
            model(IMAGES[:1])
        model.close()
        self.assertEqual(model.inputs[0].name, "image")
        with self.assertRaisesRegex(halftone.Error, "the model is closed"):
            model(IMAGES[:1])

    def test_threads(self):
        expected = [fashion(IMAGES[i:i + 1]) for i in range(8)]
        different = []

        def call(i):
            different.extend(run for run in range(100) if not np.array_equal(model(IMAGES[i:i + 1]), expected[i]))

        with halftone.Model(fashion.path) as model:
            threads = [threading.Thread(target=call, args=(i,)) for i in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(different, [])

    def test_closing_waits_for_runs(self):
        model = halftone.Model(fashion.path)
        with model._session() as session:
            model.close()
            self.assertTrue(session)
            self.assertTrue(model._module)
        self.assertFalse(model._module)

    def test_sizes(self):
        encoder = onnx_file(
            'input("x", "f32", ["batch", "seq", 16])', 'constant("w", "f32", [16, 8])', 'node("MatMul", "x w", "y")',
            'node("Softmax", "y", "z", axis=1)', 'output("z")')
        samples = np.random.default_rng(2).standard_normal((32, 6, 16), np.float32)
        model = halftone.build(encoder, data={"x": samples}, dim={"seq": "4,6", "batch": "1..3"})
        self.assertEqual([(size.name, size.inputs[0].shape, size.outputs[0].shape) for size in model.sizes],
                         [("seq=4", (None, 4, 16), (None, 4, 8)), ("seq=6", (None, 6, 16), (None, 6, 8))])
        self.assertEqual([size.name for size in fashion.sizes], [""])
        self.assertEqual(model.workspace_bytes, model.sizes[1].workspace_bytes)
        for size in (6, 4):
            x = samples[:2, :size]
            single = halftone.build(encoder, data={"x": samples}, dim={"seq": 6, "batch": "1..3"}) if size == 6 else model
            np.testing.assert_array_equal(model(x), single(x))
            self.assertEqual(model.run({"x": x})["z"].shape, (2, size, 8))
            np.testing.assert_array_equal(model.run_samples({"x": samples[:5, :size]})["z"][:2], model(x))
            self.assertIn(f"{size}x16", " ".join(layer.shapes for layer in model.profile({"x": x}, runs=1).layers))
        for run in (model, lambda x: model.run_samples({"x": x}), lambda x: model.profile({"x": x})):
            with self.assertRaisesRegex(halftone.Error, r"it has no size for input 'x' \[2, 5, 16\]; its sizes are seq=4; seq=6") as caught:
                run(samples[:2, :5])
            self.assertEqual(caught.exception.status, halftone.Status.INVALID_ARGUMENT)
        with self.assertRaisesRegex(halftone.Error, "input 'x' is not given"):
            model.run({})

    def test_profile(self):
        profile = fashion.profile({"image": IMAGES[:1]}, runs=3)
        self.assertIn("conv", " ".join(layer.kind for layer in profile.layers))
        self.assertEqual(sum(layer.multiply_accumulates for layer in profile.layers), 12853680)
        self.assertLessEqual(sum(layer.seconds for layer in profile.layers), profile.seconds)


class Commands(unittest.TestCase):
    def test_progress(self):
        self.assertTrue(any("calibrating: 40 of 40" in line for line in lines), lines)
        self.assertTrue(any(line.startswith("wrote ") for line in lines), lines)
        with self.assertLogs("halftone", "INFO") as logged:
            halftone.build(RESIDUAL)
        self.assertTrue(any("wrote " in line for line in logged.output), logged.output)

    def test_options_are_words(self):
        words = _driver._Words(folder)
        for value, expected in (("15%", ["--max-bytes=15%"]), (True, ["--max-bytes"]), (False, ["--max-bytes=false"]), (None, []),
                                (0.5, ["--max-bytes=0.5"]), (["a", "b"], ["--max-bytes=a", "--max-bytes=b"]),
                                (np.float32(0.5), ["--max-bytes=0.5"]), ({"batch": "1..8", "sr": 16}, ["--max-bytes=batch=1..8", "--max-bytes=sr=16"]),
                                (pathlib.Path("a b"), ["--max-bytes=a b"]), (fashion, [f"--max-bytes={fashion.path}"])):
            self.assertEqual(words.option("max_bytes", value), expected)

    def test_archives_take_any_name(self):
        arrays = {"file": PICTURES[:1], "a/b:0": np.arange(6, dtype=np.int8).reshape(2, 3).T, "s": np.float32(3)}
        _arrays.write_npz(folder / "names.npz", arrays)
        with np.load(folder / "names.npz") as read:
            self.assertEqual(set(read), set(arrays))
            for name, array in arrays.items():
                np.testing.assert_array_equal(read[name], array)

    def test_samples_in_parts(self):
        read = []
        def loader(parts):
            for part in parts:
                read.append(part)
                yield part
        whole = halftone.calibrate(FASHION, data={"image": IMAGES}, output=folder / "whole.stats")
        for parts in (loader({"image": OnlyDLPack(IMAGES[i:i + 7])} for i in range(0, 40, 7)), [{"image": IMAGES[:32]}, {"image": IMAGES[32:]}]):
            part = halftone.calibrate(FASHION, data=parts, output=folder / "parts.stats")
            self.assertEqual(part.read_bytes(), whole.read_bytes())
        self.assertEqual(len(read), 6)
        for parts, message in (
                ((part for part in ()), "data= is empty"), ([], "data= is empty"), ({}, "data= is empty"), ([{}], "data= is empty"),
                ((image for image in IMAGES), "names of the model's inputs"),
                ([{"image": IMAGES[:2]}, IMAGES[2:]], "item 1 is no mapping, but ndarray"),
                ([{"image": IMAGES[:2]}, {"picture": IMAGES[2:]}], r"item 1 has \['picture'\], those before have \['image'\]"),
                ([{"image": IMAGES[:2]}, {"image": IMAGES[2:, :, 1:]}], r"'image' of item 1 is float32 with samples of shape \(1, 27, 28\)"),
                ([{"image": np.float32(1)}], "'image' of item 0 is no array of samples"),
                ([{"image": np.array([None])}], "'image' of item 0 is no array of samples")):
            with self.assertRaisesRegex(TypeError, message):
                halftone.calibrate(FASHION, data=parts, output=folder / "none.stats")

    def test_models_in_memory(self):
        expected = halftone.build(RESIDUAL, float=True)(PICTURES[:1])
        for model in (RESIDUAL.read_bytes(), Proto()):
            built = halftone.build(model, float=True)
            np.testing.assert_array_equal(built(PICTURES[:1]), expected)
        path = pathlib.Path(built.path)
        self.assertTrue(path.exists())
        del built
        self.assertFalse(path.exists())

    def test_stages(self):
        stats = halftone.calibrate(RESIDUAL, data={"image": PICTURES}, output=folder / "r.stats")
        quantized = halftone.quantize(RESIDUAL, stats=stats, output=folder / "r.mlirbc")
        model = halftone.compile(quantized, output=folder / "r.so")
        direct = halftone.build(RESIDUAL, data={"image": PICTURES})
        np.testing.assert_array_equal(model(PICTURES[:1]), direct(PICTURES[:1]))
        self.assertIn("exactly equal", halftone.compare(model, direct, data={"image": PICTURES}, exact=True).replace("bit for bit", "exactly equal"))
        self.assertIn("us", halftone.bench(model, against=direct, rounds=1))
        self.assertEqual(halftone.export(quantized, output=folder / "r.onnx"), folder / "r.onnx")
        self.assertIn("run in integers", halftone.check(RESIDUAL))
        self.assertIn("func.func", halftone.quantize(RESIDUAL, stats=stats, elide_weights=True))
        labelled = {"image": PICTURES, "class": np.arange(24) % 10}
        trained = halftone.train(RESIDUAL, data=labelled, labels="class", batch=8, output=folder / "t.mlirbc")
        self.assertEqual(halftone.compile(trained)(PICTURES[:1]).shape, (1, 10))
        path = halftone.build(RESIDUAL, data={"image": PICTURES}, stop_after="integer", output=folder / "i.mlir", load=False)
        self.assertIn("integer", path.read_text()[:2000])
        with self.assertRaisesRegex(TypeError, "load=False"):
            halftone.build(RESIDUAL, stop_after="integer", output=folder / "no.mlir")

    def test_mistakes_in_options(self):
        with self.assertRaises(halftone.Error) as caught:
            halftone.build(RESIDUAL, weigts="int4", max_drp=1)
        for part in ("there is no option '--weigts=int4' (did you mean", "there is no option '--max-drp=1'"):
            self.assertIn(part, str(caught.exception))
        self.assertEqual(caught.exception.status, 1)
        with self.assertRaisesRegex(halftone.Error, "^cannot read 'none.onnx': No such file"):
            halftone.build("none.onnx")
        with self.assertRaisesRegex(halftone.Error, "x"):
            halftone.build(RESIDUAL, data={"x": PICTURES}, output=folder / "no.so")
        with self.assertRaisesRegex(TypeError, "names of the model's inputs"):
            halftone.build(RESIDUAL, data=PICTURES)
        self.assertFalse((folder / "no.so").exists())

    def test_nothing_to_run(self):
        with mock.patch.dict(os.environ, HALFTONE_HOME=str(folder)):
            with self.assertRaisesRegex(halftone.Error, re.escape(f"{folder / 'bin/halftone'} (HALFTONE_HOME)")):
                halftone.check(RESIDUAL)

    def test_crash(self):
        home = folder / "home"
        (home / "bin").mkdir(parents=True)
        (home / "bin/halftone").write_text("#!/bin/sh\necho last words >&2\nkill -SEGV $$\n")
        (home / "bin/halftone").chmod(0o755)
        with mock.patch.dict(os.environ, HALFTONE_HOME=str(home)):
            with self.assertRaisesRegex(halftone.Error, "`halftone check` was ended by SIGSEGV\nlast words") as caught:
                halftone.check(RESIDUAL)
        self.assertEqual(caught.exception.status, -signal.SIGSEGV)


class Stopped(unittest.TestCase):
    """What ends a command from within the caller's process, ends its processes, too."""

    def setUp(self):
        # Started in the background of a shell, a process ignores what the tests send.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))

    @contextlib.contextmanager
    def only(self, exception):
        processes = []
        popen = subprocess.Popen

        def start(*arguments, **options):
            processes.append(popen(*arguments, **options))
            return processes[-1]

        with mock.patch.object(_driver.subprocess, "Popen", start), self.assertRaises(exception):
            yield
        process, = processes
        self.assertIsNotNone(process.returncode)
        self.assertFalse((folder / "stopped.so").exists())

    def test_interrupt(self):
        with self.only(KeyboardInterrupt):
            halftone.build(RESIDUAL, data={"image": PICTURES}, max_drop=1, metric="sqnr", output=folder / "stopped.so",
                           progress=lambda line: os.kill(os.getpid(), signal.SIGINT))

    def test_progress_that_fails(self):
        with self.only(ZeroDivisionError):
            halftone.build(RESIDUAL, data={"image": PICTURES}, output=folder / "stopped.so", progress=lambda line: 1 // 0)

    def test_metric_that_fails(self):
        with self.only(ZeroDivisionError):
            halftone.build(RESIDUAL, data={"image": PICTURES}, max_drop=1, output=folder / "stopped.so", metric=lambda y, reference: 1 // 0)


class Metrics(unittest.TestCase):
    #: Time decides nothing: it is measured, also where others use the machine.
    SELECTION = {"data": {"image": PICTURES}, "max_latency": "100000%"}

    def test_decides_on_what_the_program_measures(self):
        asked = []

        def sameness(outputs, reference, samples):
            asked.append((outputs["logits"], reference["logits"], samples))
            self.assertEqual(threading.current_thread(), threading.main_thread())
            return np.array_equal(outputs["logits"], reference["logits"])

        model = halftone.build(RESIDUAL, **self.SELECTION, max_drop=0.5, metric=sameness)
        floats = halftone.build(RESIDUAL, float=True).run_samples({"image": PICTURES})["logits"]
        np.testing.assert_array_equal(model.run_samples({"image": PICTURES})["logits"], floats)  # nothing else is the same
        self.assertEqual({(samples.start, samples.stop) for _, _, samples in asked}, {(0, 16), (16, 24)})
        for _, reference, samples in asked:
            np.testing.assert_array_equal(reference, floats[samples])
        int8 = halftone.build(RESIDUAL, data={"image": PICTURES[:16]}).run_samples({"image": PICTURES})["logits"]
        self.assertTrue(any(np.array_equal(outputs, int8[samples]) for outputs, _, samples in asked))

    def test_no_number(self):
        long = folder / ("long" * 30)  # a name that no socket can have
        long.mkdir()
        message = "python-lambda' prints a number on its last line, not 'nan'"
        with mock.patch.object(tempfile, "tempdir", str(long)), self.assertRaisesRegex(halftone.Error, message):
            halftone.build(RESIDUAL, **self.SELECTION, max_drop=1, metric=lambda y, reference: float("nan"))


class Package(unittest.TestCase):
    def test_examples_of_the_documentation(self):
        examples = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/Python.md").read_text(), re.MULTILINE | re.DOTALL)
        self.assertGreaterEqual(len(examples), 5)
        where = folder / "examples"
        where.mkdir()
        shutil.copy(FASHION, where / "model.onnx")
        np.savez(where / "samples.npz", image=IMAGES)
        before = os.getcwd()
        os.chdir(where)
        try:
            names = {}
            for example in examples:
                exec(compile(example, "docs/Python.md", "exec"), names)
        finally:
            os.chdir(before)

    def test_structures_are_those_of_the_headers(self):
        """The fields of each, in their order."""
        from halftone import _runtime
        headers = "".join((ROOT / "include/halftone-c" / name).read_text() for name in ("Artefact.h", "Runtime.h"))
        headers = re.sub(r"/\*.*?\*/|//[^\n]*", "", headers, flags=re.DOTALL)
        for structure, name in ((_runtime._TensorInfo, "HalftoneTensorInfo"), (_runtime._ModelInfo, "HalftoneModel"),
                                (_runtime._LayerInfo, "HalftoneLayerInfo"), (_runtime._Buffer, "HalftoneBuffer"),
                                (_runtime._LoadOptions, "HalftoneLoadOptions"), (_runtime._SamplePlan, "HalftoneSamplePlan")):
            body = re.search(r"typedef struct(?: \w+)? \{([^}]*)\} " + name + ";", headers).group(1)
            body = re.sub(r"\(\*(\w+)\)\([^)]*\)", r"\1", body)  # pointers to functions
            fields = [re.search(r"(\w+)$", part.strip()).group(1) for statement in body.split(";") if statement.strip()
                      for part in statement.split(",")]
            ours = [field for field, _ in structure._fields_]
            self.assertEqual(ours, fields[:len(ours)])
        for name, number in re.findall(r"HALFTONE_([A-Z_]+) = (\d+)", (ROOT / "include/halftone-c/Runtime.h").read_text()):
            self.assertEqual(halftone.Status[name], int(number))

    def test_installed(self):
        site = folder / "site"
        environment = {**os.environ, "HALFTONE_BUILD": str(BUILD), "HALFTONE_HOME": "", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(site)}
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check", "--target",
                        site, ROOT / "python"], check=True, env=environment)
        program = f"import halftone; print(halftone.__file__, halftone.build({str(RESIDUAL)!r}, float=True).outputs[0].shape)"
        answer = subprocess.run([sys.executable, "-c", program], check=True, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True)
        self.assertEqual(answer.stdout, f"{site / 'halftone/__init__.py'} (1, 10)\n")
        version = subprocess.run([BUILD / "bin/halftone", "--version"], check=True, stdout=subprocess.PIPE).stdout
        for program in ([site / "bin/halftone"], [sys.executable, "-m", "halftone"]):
            self.assertEqual(subprocess.run([*program, "--version"], check=True, env=environment, cwd=folder, stdout=subprocess.PIPE).stdout, version)
            failed = subprocess.run([*program, "info", "none.so"], env=environment, cwd=folder, stderr=subprocess.PIPE, text=True)
            self.assertEqual((failed.returncode, failed.stderr), (1, "halftone: error: cannot read 'none.so': No such file or directory\n"))

    def test_program_that_is_not_found(self):
        environment = {**os.environ, "HALFTONE_HOME": str(folder / "no home"), "PYTHONPATH": str(ROOT / "python")}
        answer = subprocess.run([sys.executable, "-m", "halftone", "--version"], env=environment, stderr=subprocess.PIPE, text=True)
        self.assertEqual(answer.returncode, 1)
        self.assertRegex(answer.stderr, "^halftone: error: Halftone's bin/halftone is not found; set HALFTONE_HOME")


if __name__ == "__main__":
    unittest.main()
