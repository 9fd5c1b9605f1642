"""docs/ONNX.md lists exactly the operators of the importer's registry, each with its first opset."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class OnnxDocs(unittest.TestCase):
    def test_table_is_registry(self):
        source = (ROOT / "lib/Import/ONNX/Registry.cpp").read_text()
        page = (ROOT / "docs/ONNX.md").read_text()
        registry = re.findall(r'\{"(\w+)", (\d+), ', source)
        self.assertEqual(sorted(registry), re.findall(r"^\| (\w+) \| (\d+) \|", page, re.MULTILINE))


if __name__ == "__main__":
    unittest.main()
