"""A report's page refers to nothing outside; its numbers follow the schema and agree with one another."""
import html.parser
import json
import sys


class Page(html.parser.HTMLParser):
    VOID = {"meta", "br", "link", "img", "input"}

    def __init__(self):
        super().__init__()
        self.open, self.counts, self.problems = [], {}, []

    def handle_starttag(self, tag, attributes):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag in ("script", "link", "iframe", "img", "object", "embed"):
            self.problems.append(f"<{tag}> would be fetched or run")
        for name, value in attributes:
            if name in ("src", "href", "xlink:href", "srcset", "action"):
                self.problems.append(f"{name}={value}")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")


def check(value, schema, where, problems):
    """The part of JSON Schema that the file uses."""
    kinds = {"object": dict, "array": list, "string": str, "number": (int, float), "integer": int}
    if "const" in schema and value != schema["const"]:
        problems.append(f"{where} is {value!r}")
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        problems.append(f"{where} is no {schema['type']}")
        return
    if "minimum" in schema and value < schema["minimum"]:
        problems.append(f"{where} = {value}")
    for name in schema.get("required", []):
        if name not in value:
            problems.append(f"{where}.{name} is missing")
    for name, part in schema.get("properties", {}).items():
        if name in value:
            check(value[name], part, f"{where}.{name}", problems)
    if schema.get("additionalProperties") is False:
        for name in set(value) - set(schema["properties"]):
            problems.append(f"{where}.{name} is not in the schema")
    for i, item in enumerate(value if "items" in schema else []):
        check(item, schema["items"], f"{where}[{i}]", problems)


def resolve(schema, definitions):
    if isinstance(schema, dict):
        if "$ref" in schema:
            return resolve(definitions[schema["$ref"].split("/")[-1]], definitions)
        return {name: resolve(part, definitions) for name, part in schema.items()}
    return schema


page_path, json_path, schema_path = sys.argv[1:]
text = open(page_path).read()
page = Page()
page.feed(text)
problems = page.problems + [f"<{tag}> is open" for tag in page.open]
problems += [f"'{word}' in the page" for word in ("http:", "https:", "@import", "url(") if word in text]
print("page:", "; ".join(problems) or "whole and self-contained")
print("drawings:", page.counts.get("svg", 0))

report = json.load(open(json_path))
schema = json.load(open(schema_path))
problems = []
check(report, resolve(schema, schema["$defs"]), "report", problems)
for tensor in report["b"]["tensors"]:
    if tensor["bytes"] != tensor["code_bytes"] + tensor["scale_bytes"] + tensor["table_bytes"]:
        problems.append(f"the bytes of {tensor} do not add up")
for layer in report["layer_errors"]:
    for key in ("histogram_before", "histogram_after"):
        if key in layer and sum(layer[key]) != layer["elements"]:
            problems.append(f"{key} of {layer['key']} counts {sum(layer[key])} of {layer['elements']}")
print("numbers:", "; ".join(problems) or "follow the schema")
print("formats:", ", ".join(sorted({t["format"] for t in report["b"]["tensors"]})))
for layer in report["layer_errors"]:
    print(f"layer {layer['key']} {layer['precision']}: {layer.get('sqnr_db', float('inf')):.1f} dB, "
          f"codes {'histogram_after' in layer}")
for row in report["float_operations"]:
    print(f"float {row['name']}: {row['reason']}")
