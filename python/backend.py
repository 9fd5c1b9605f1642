"""Makes the wheel (PEP 517), with nothing but Python: `pip install ./python` works without a network and without build tools.

With HALFTONE_BUILD=<build folder> in the environment the wheel carries the program and the runtime library, and is for this platform;
else it is pure, and finds them by HALFTONE_HOME, the build tree or PATH.
"""
import base64
import hashlib
import io
import os
import pathlib
import re
import sysconfig
import tarfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = HERE / "halftone"
VERSION = re.search(r'__version__ = "(.*)"', (PACKAGE / "__init__.py").read_text()).group(1)
BUILD = os.environ.get("HALFTONE_BUILD")
BINARIES = ("bin/halftone", "lib/libhalftone_runtime.so")
STEM = f"halftone-{VERSION}"
METADATA = f"""Metadata-Version: 2.1
Name: halftone
Version: {VERSION}
Summary: A float neural network in, an exact int8 CPU library out
License: Apache-2.0 WITH LLVM-exception
Requires-Python: >=3.9
Requires-Dist: numpy>=1.23
"""


def _sources():
    return {f"halftone/{path.name}": path for path in sorted(PACKAGE.iterdir()) if path.suffix == ".py" or path.name == "py.typed"}


def _write_wheel(folder, files, platform):
    """`files`: the contents by the names in the wheel."""
    tag = f"py3-none-{platform}"
    information = f"{STEM}.dist-info"
    purity = "true" if platform == "any" else "false"
    files = {**files, f"{information}/METADATA": METADATA.encode(),
             f"{information}/WHEEL": f"Wheel-Version: 1.0\nGenerator: halftone\nRoot-Is-Purelib: {purity}\nTag: {tag}\n".encode()}
    if platform != "any":  # a pure one finds its program by PATH, where it would find this
        files[f"{information}/entry_points.txt"] = b"[console_scripts]\nhalftone = halftone.__main__:main\n"
    record = ""
    name = f"{STEM}-{tag}.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w", zipfile.ZIP_DEFLATED) as wheel:
        for file, data in files.items():
            entry = zipfile.ZipInfo(file)  # of 1980, so that equal files give an equal wheel
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if "/bin/" in file else 0o100644) << 16
            wheel.writestr(entry, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{file},sha256={digest},{len(data)}\n"
        wheel.writestr(zipfile.ZipInfo(f"{information}/RECORD"), record + f"{information}/RECORD,,\n")
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = _sources()
    if BUILD:
        missing = [name for name in BINARIES if not pathlib.Path(BUILD, name).is_file()]
        if missing:
            raise SystemExit(f"HALFTONE_BUILD={BUILD} has no {' and no '.join(missing)}: build Halftone first")
        files.update({f"halftone/{name}": pathlib.Path(BUILD, name) for name in BINARIES})
    platform = re.sub(r"\W", "_", sysconfig.get_platform()) if BUILD else "any"
    return _write_wheel(wheel_directory, {name: path.read_bytes() for name, path in files.items()}, platform)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _write_wheel(wheel_directory, {"halftone-editable.pth": f"{HERE}\n".encode()}, "any")


def build_sdist(sdist_directory, config_settings=None):
    name = f"{STEM}.tar.gz"
    with tarfile.open(os.path.join(sdist_directory, name), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for file, path in {**_sources(), "pyproject.toml": HERE / "pyproject.toml", "backend.py": HERE / "backend.py"}.items():
            archive.add(path, f"{STEM}/{file}")
        entry = tarfile.TarInfo(f"{STEM}/PKG-INFO")
        entry.size = len(METADATA)
        archive.addfile(entry, io.BytesIO(METADATA.encode()))
    return name
