"""docs/ONNX.md lists exactly the operators of the importer's registry, each with its first opset, and those that do the
work of several, each with its domain."""
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

    def test_table_is_fused_operators(self):
        source = (ROOT / "lib/Import/ONNX/FusedOperators.cpp").read_text()
        page = (ROOT / "docs/ONNX.md").read_text()
        rows = re.findall(r'\{(""|kMicrosoft|kClassical), "(\w+)", \d+, expand', source)
        domains = {'""': "ai.onnx", "kMicrosoft": "com.microsoft", "kClassical": "ai.onnx.ml"}
        fused = [(kind, domains[domain]) for domain, kind in rows]
        self.assertEqual(sorted(fused), re.findall(r"^\| (\w+) \| (ai\.onnx|ai\.onnx\.ml|com\.microsoft) \|", page, re.MULTILINE))


if __name__ == "__main__":
    unittest.main()
