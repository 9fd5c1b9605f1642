"""Examples of the values of every option of `halftone`, for options.py.

A key is an option, or option@command where a command's option of that name takes something else. Values that the help lists by themselves
(=minmax, or words of a description that LISTED reads) need none here. An example

  "value"                  has to work; on some models of a walk it may be refused with a reason, but not on all of them
  "!value"                 has to be refused, on every model
  "?value"                 may be refused by all models, though the help lists it
  ""                       of a flag is the option alone
  (value, [word, ...])     comes with more words, which REPLACE and NEEDS would give to all values of the option

{folder} is the folder of made files, {model} the model, {input} and {output} the names of its first input and output, {dim} that of its leading dimension.
"""
import re

# What a command is given beside the option that is tried.
USUAL = {
    "build": ["{model}", "--data={folder}/data.npz"],
    "import": ["{model}"],
    "calibrate": ["{model}", "--data={folder}/data.npz"],
    "quantize": ["{model}", "--stats={folder}/model.stats"],
    "prune": ["{model}", "--sparsity=0.5"],
    "train": ["{model}", "--data={folder}/data.npz", "--teacher={model}", "--loss={loss}", "--batch=4", "--rate=1e-5"],
    "compile": ["{folder}/quantized.mlirbc"],
    "run": ["{folder}/float.so", "--input={folder}/plain.npz"],
    "bench": ["{folder}/float.so", "--rounds=2"],
    "compare": ["{folder}/float.so", "{folder}/quantized.mlirbc", "--data={folder}/data.npz"],
    "check": ["{model}"],
    "export": ["{model}"],  # in floats
    "info": ["{model}"],
}
# The output of a command that has one: its -o.
OUTPUT = {"build": "result.so", "import": "result.mlirbc", "calibrate": "result.stats", "quantize": "result.mlirbc",
          "prune": "result.mlirbc", "train": "result.mlirbc", "compile": "result.so", "run": "result.npz", "export": "result.onnx"}

# Values that an option's description lists in words.
LISTED = {
    "weights": lambda text: re.search(r"\(default int8\): (.*?)\. ", text).group(1).split(", "),
    "stop-after": lambda text: text.split(": ")[1].split(", "),
    "target-cpu": lambda text: ["native", *text.split(" of ")[-1].split(", ")],
}

SELECTION = ["--data={folder}/data.npz", "--recipe={folder}/most.yaml", "--formats=int8,float"]
LAYER_BY_LAYER = ["", ("", ["--recipe={folder}/zeros.yaml"])]
PICTURES = "{input}: u8 nchw {colour} resize={size} scale=255"
BAD_DATA = ["!{folder}/none.npz", "!{folder}/empty", "!{folder}/misnamed.npz", "!{folder}/misshapen.npz", "!{folder}/integers.npz", "!{folder}/nan.npz",
            "!{folder}/truncated.npz", "!{model}"]
EXAMPLES = {
    "activations": [], "weight-scales": [], "weight-storage": [], "scope": [], "prune-scope": [], "rounding": [], "estimator": ["!median"],
    "against": ["{folder}/float.so", "!{folder}/none.so", "!{model}"],
    "augment": ["flip", "shift=1", "flip,erase=3", "!shift", "!turn=3", "!shift=x"],
    "batch": ["4", "!-1", "!many"], "batch@bench": ["1", "!0", "!1000", "!x"],
    "bits-epochs": ["0:1", "!1:0", "!x", "!0:9"], "bits-from": ["6", "!1", "!9"],
    "checkpoint": ["{folder}/point.npz", "!{folder}/none/point.npz"],
    "cost": ["{folder}/cost.json", "!{folder}/data.npz", "!{folder}/none.json"],
    "data": ["{folder}/data.npz", "{folder}/arrays", *BAD_DATA],
    "data@quantize": [("{folder}/data.npz", ["--rounding=gptq"]), *[(value, ["--rounding=gptq"]) for value in BAD_DATA], "!{folder}/data.npz"],
    "decay": ["0.001", "!-1", "!much"],
    # A list is of sizes of a dimension that does not lead, which not all models have.
    "dim": ["{dim}=1..4", "{dim}=2", "!{dim}", "!{dim}=0", "!{dim}=4..2", "!nothing=3", "!{dim}=2,3", "!{dim}=2,", "!{dim}=2,2", "!nothing=2,3"],
    "dim@bench": ["!{dim}=2"], "dim@compile": ["!{dim}=2", "!{dim}=2,3"], "dim@compare": ["!{dim}=2", "!{dim}", "!{dim}=2,3"],
    "distill": ["blocks", ".*", "!("], "distill-share": ["0.5", "!0", "!-1"],
    "elide-weights": [""], "ends": [""], "epochs": ["2", "!0", "!-2"], "equalize": [""], "evaluator": [""],
    "exact": [("", ["{folder}/float.so", "{folder}/float.so"])], "exclude": ["{last}", "!nothing", "!("], "explain": [""],
    "external-data": [""],
    "float": [""], "float-ops": ["kind:contraction", "{last}", ".*", "!kind:nothing", "!nothing", "!("],
    "formats": ["int8,float", "int8,int4", "int8,codebook4,log4", "int8,int8/sparsity:0.5", "!int8,int8/sparsity:2", "!int8", "!int4,float", "!int9,int8"],
    "granularity": ["tensor", "channel", ("group:16", ["--weights=int4"]), ("group:32", ["--weights=int4"]), ("group:256", ["--weights=int4"]),
                    ("group:64", ["--weights=log3"]), ("!group:32", ["--weights=int8"]), ("group:8", ["--weights=codebook4"]),
                    ("!group:8", ["--weights=int4"]), ("!group:8", ["--weights=codebook6"]), "!group:7", "!group:257", "!row"],
    # Training goes through casts by channel, of calibrated ranges.
    "activations@train": ["!dynamic", "!float"], "granularity@train": ["channel", "?tensor", ("?group:32", ["--weights=int4"]), "!row"],
    "hessians": ["{folder}/kept.hessians", "!{folder}/none/kept.hessians", "!{folder}/data.npz", "!"],
    "held-out": ["4", "!-1", "!100000"],
    "input": [(PICTURES, ["--data={folder}/pictures"]), "!nothing: u8", "!x", "!{input}: u8 crop=0 turn"],
    "input@import": [PICTURES, "!nothing: u8", "!x"], "input@check": [PICTURES, "!nothing: u8"], "input@info": [PICTURES, "!nothing: u8"],
    "input@prune": [PICTURES, "!nothing: u8"], "input@export": [PICTURES, "!nothing: u8"],
    "input@quantize": [PICTURES, "!nothing: u8"], "input@compile": [PICTURES, "!nothing: u8"],
    "input@run": ["{folder}/plain.npz", "{folder}/arrays", (PICTURES, ["--data={folder}/pictures"]), *BAD_DATA],
    "json": [""], "keep-shapes": [""],
    "labels": ["label", "!nothing", "!short", "!floats", "!classes"], "labels@compare": ["label", "!nothing", "!short", "!floats"],
    "learn-levels": [""], "learn-scales": [""], "loss": [("cross-entropy", ["--labels=label"]), ("mse", ["--labels=target"]), "!hinge"],
    "max-bytes": ["60%", "1000000000", "!0%", "!some"], "max-drop": ["50", "!x"], "max-latency": ["400%", "1000000", "!-3", "!fast"],
    "measurements": ["{folder}/measurements.json", "!{folder}/none/measurements.json"],
    "merge": [("", ["{folder}/model.stats", "{folder}/model.stats"]), ("!", ["{folder}/none.stats"]), ("!", ["{model}", "--data={folder}/data.npz"])],
    "method": ["magnitude", ("obs", ["--data={folder}/data.npz"]), "!random"],
    "metric-command": ["{folder}/metric", "!{folder}/none", "!{folder}/silent"],
    "momentum": ["0.5", "!1", "!-1"], "nesterov": [""],
    "o": ["{folder}/written.mlir", "{folder}/written.mlirbc", "-", "!{folder}/none/result.mlir", "!{folder}", "!/dev/full"],
    "o@build": ["{folder}/written.so", "{folder}/written.o", "{folder}/written.ll", "{folder}/written.s", "!{folder}/written.txt", "!-",
                "!{folder}/none/result.so", "!{folder}"],
    "o@compile": ["{folder}/written.so", "{folder}/written.o", "{folder}/written.ll", "{folder}/written.s", "!{folder}/written.txt",
                  "!{folder}/none/result.so", "!{folder}"],
    "o@export": ["{folder}/written.onnx", "!{folder}/written.mlir", "!{folder}/none/result.onnx", "!{folder}"],
    "o@calibrate": ["{folder}/written.stats", "!{folder}/none/result.stats", "!{folder}"],
    "o@run": ["{folder}/written.npz", "!{folder}/none/result.npz", "!{folder}"],
    "o@bench": ["!{folder}/tuned.json"],
    "only": [".*", "!nothing", "!("], "optimizer": ["sgd", "adam", "!lion"],
    "outputs": ["{output}", "!nothing", "!{output},{output}"], "outputs@compare": ["!{output}"], "outputs@compile": ["!{output}"],
    "pattern": ["blocks", "unstructured", "!rows"],
    "pattern@prune": ["blocks", "unstructured", "channels", ("2:4", []), ("1:2", []), ("!2:4", ["--sparsity=0.5"]), ("!4:2", []), "!rows"],
    "pause-after": ["1", "!-1"], "percentile": ["99.9", "100", "!50", "!101", "!x"], "predict": [""], "profile": [""],
    "prune": ["0.5", "!1", "!-1"], "prune-ends": [""], "prune-epochs": ["0:1", "!1:0", "!x"], "prune-every": ["1", "!-1"],
    "prune-exclude": ["{last}", "!nothing", "!("], "prune-from": ["0.2", "!0.9", "!-1"], "prune-pattern": ["blocks", "unstructured", "!rows"],
    "quantize-from-epoch": ["1", "!-1", "!2"],
    "rate": ["0.001", "!0", "!-1", "!fast"],
    "recipe": ["{folder}/recipe.yaml", "!{folder}/misspelt.yaml", "!{folder}/idle.yaml", "!{folder}/none.yaml", "!{folder}/data.npz"],
    "refit": [""],
    "report": ["{folder}/report.html", "{folder}/report.json", "!{folder}/report.txt", "!{folder}/none/report.html"],
    "resume": [("", ["--checkpoint={folder}/paused.npz"]), ("!", []), ("!", ["--checkpoint={folder}/none.npz"])],
    "resume@calibrate": [("", ["-o", "{folder}/resumed.stats"]), "!"],
    "round-channels": ["1", "8", "!0", "!x"], "rounds": ["1", "!0", "!many"],
    "save-choice": ["{folder}/choice.yaml", "!{folder}/none/choice.yaml"], "save-stats": ["{folder}/saved.stats", "!{folder}/none/saved.stats"],
    "schedule": ["cosine", "constant", "!steps"], "seed": ["7", "!x"],
    "sequential": LAYER_BY_LAYER,
    **{f"sequential@{name}": [*LAYER_BY_LAYER, ("", [*SELECTION[1:], "--max-bytes=60%"])] for name in ("build", "quantize")},
    "sequential@prune": [""], "smooth": ["auto", "none", "0", "0.5", "1", "!-0.5", "!2", "!much"],
    "smoothing": ["0.1", "!1", "!-1"], "sparsity": [("0.5", ["--rounding=gptq"]), "!1", "!-1", "!half", "!0.5"],
    "sparsity@prune": ["0", "0.5", "!1", "!-1", "!half"],
    "stats": ["{folder}/model.stats", "!{folder}/none.stats", "!{folder}/recipe.yaml", "!{folder}/other.stats"], "stop-after": ["!nothing"],
    "target-cpu": ["avx2,avx512vnni", "x86-64-v3", "!z80", "!avx2,z80", "!"], "target-cpu@prune": ["?reference", "!avx2,avx512vnni", "!z80"],
    "target-cpu@quantize": ["?amx", "?avxvnni", "?i8mm", "?dotprod", "?neon", "avx2,avx512vnni", "!z80"],
    "teacher": ["{model}", "{folder}/imported.mlirbc", "!{folder}/none.onnx", "!{folder}/float.so"], "teacher-share": ["0.5", "!2", "!-1"],
    "temperature": ["2", "!0", "!-1"], "threads": ["1", "2", "!-1", "!x"], "unsigned": [""], "threads@bench": ["1", "2", "!0", "!x"],
    "threads@compare": ["1", "2", "!-1", "!x"], "tune": [("", ["-o", "{folder}/tuned.json"]), ("!", ["{folder}/float.so"])],
    "value": ["!{input}", "!{input}=x", "!nothing=1"], "warmup": ["0.1", "!2", "!-1"], "weights": ["!int9", "!codebook1", "!nf5"],
}

# Words that an option (or one value of it) needs to mean something.
QUANTIZED = ["--stats={folder}/model.stats"]
NEEDS = {
    "cost@bench": ["--explain"], "cost@prune": ["--predict"], "target-cpu@prune": ["--predict"],
    "percentile": ["--estimator=percentile"], "smooth@quantize": [], "equalize@quantize": ["--stats={folder}/equalized.stats"],
    "rounding=gptq": ["--data={folder}/data.npz"], "rounding=adaround": ["--data={folder}/data.npz"],
    "hessians": ["--data={folder}/data.npz", "--rounding=gptq"],
    "sparsity": ["--data={folder}/data.npz"], "pattern": ["--data={folder}/data.npz", "--rounding=gptq", "--sparsity=0.5"], "pattern@prune": [],
    "held-out@quantize": ["--data={folder}/data.npz", "--rounding=gptq"],
    "sequential": ["--data={folder}/data.npz", "--rounding=gptq"], "sequential@prune": ["--data={folder}/data.npz"],
    "sequential@train": [*QUANTIZED, "--rounding=gptq"],
    "sparsity@prune": [], "elide-weights@build": ["--stop-after=integer"],
    "max-drop": [*SELECTION, "--metric=sqnr"], "max-bytes": SELECTION, "max-latency": SELECTION, "measurements": [*SELECTION, "--max-bytes=60%"],
    "target-cpu@quantize": [*SELECTION, "--max-bytes=60%"], "metric": [*SELECTION, "--max-drop=90"], "metric-command": [*SELECTION, "--max-drop=90"],
    "objective": [*SELECTION, "--max-bytes=60%"], "refit": [*SELECTION, "--max-bytes=60%", "--rounding=gptq"],
    "formats": [*SELECTION[:2], "--max-bytes=60%"], "save-choice": [*SELECTION, "--max-bytes=60%"],
    "weight-storage@quantize": [*SELECTION, "--max-bytes=60%"],
    "round-channels": ["--pattern=channels"], "keep-shapes": ["--pattern=channels"],
    "nesterov": ["--optimizer=sgd"], "momentum": ["--optimizer=sgd"],
    "labels": [], "smoothing": ["--labels=label"], "teacher-share": ["--labels=label"],
    "distill-share": ["--distill=.*"], "learn-scales": QUANTIZED, "learn-levels": [*QUANTIZED, "--weights=codebook4"],
    "bits-from": [*QUANTIZED, "--weights=int4", "--epochs=2"], "bits-epochs": [*QUANTIZED, "--weights=int4", "--bits-from=6"],
    "quantize-from-epoch": [*QUANTIZED, "--epochs=2"], "pause-after": ["--checkpoint={folder}/paused.npz"],
    **{f"prune-{name}": ["--prune=0.5"] for name in ("ends", "epochs", "every", "exclude", "from", "pattern", "scope")},
    **{f"{name}@train": QUANTIZED for name in ("activations", "estimator", "float-ops", "granularity", "recipe", "rounding", "smooth",
                                               "weight-scales", "weights")},
    "percentile@train": ["--estimator=percentile", *QUANTIZED], "sparsity@train": QUANTIZED,
    "pattern@train": [*QUANTIZED, "--rounding=gptq", "--sparsity=0.5"],
    "hessians@train": [*QUANTIZED, "--rounding=gptq"], "rounding=gptq@train": QUANTIZED, "rounding=adaround@train": QUANTIZED,
}
# Usual words that an option (or one value of it) takes the place of.
REPLACED = {
    "activations=dynamic": ["--data", "--stats"], "activations=float": ["--data", "--stats"], "activations=dynamic@train": [], "activations=float@train": [],
    "float@build": ["--data"],
    "pattern=2:4@prune": ["--sparsity"], "pattern=1:2@prune": ["--sparsity"], "pattern=4:2@prune": ["--sparsity"],
    "merge@calibrate": ["{model}", "--data"], "tune@bench": ["{folder}/float.so", "--rounds"],
    "exact@compare": ["{folder}/float.so", "{folder}/quantized.mlirbc"], "equalize@quantize": ["--stats"],
    "labels@train": ["--teacher"], "loss@train": ["--teacher"], "smoothing@train": ["--teacher"], "data@run": ["--input"], "input@run": ["--input"],
}
