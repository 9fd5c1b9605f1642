//===- Commands.cpp - The table of all commands ---------------------------===//
#include "Command.h"

using namespace mlir::halftone;

static constexpr Command kCommands[] = {
    {"build", "everything, with defaults that are right",
     "  halftone build model.onnx --data samples.npz -o model.so\n"
     "  halftone build model.onnx --data photographs/ -o model.so \\\n"
     "      --input 'image: u8 nhwc rgb resize=256 crop=224 "
     "mean=0.485,0.456,0.406 "
     "std=0.229,0.224,0.225'\n"
     "  halftone build model.onnx --data samples.npz --dim batch=1..32 -o "
     "model.so\n"
     "  halftone build text.onnx --data samples.npz --dim seq=16,32,64 -o "
     "text.so\n"
     "  halftone build model.onnx --data samples.npz --max-drop 1 -o model.so\n"
     "  halftone build model.onnx --float -o model-float.so\n"
     "  halftone build model.onnx --data samples.npz --stop-after=integer -o "
     "model.mlir\n",
     runBuild},
    {"import", "read an ONNX model, or MLIR, into the entry form",
     "  halftone import model.onnx -o model.mlirbc\n"
     "  halftone import model.onnx --elide-weights -o model.mlir\n",
     runImport},
    {"calibrate", "statistics of the model's values on samples",
     "  halftone calibrate model.onnx --data samples.npz -o model.stats\n"
     "  halftone calibrate --merge shard1.stats shard2.stats -o model.stats\n",
     runCalibrate},
    {"quantize", "a model and statistics to int8 with casts",
     "  halftone quantize model.onnx --stats model.stats -o quantized.mlirbc\n"
     "  halftone quantize model.onnx --stats model.stats --estimator=minmax "
     "--float-ops 'kind:avg_pool' -o quantized.mlirbc\n"
     "  halftone quantize model.onnx --stats model.stats --stop-after=integer "
     "-o integer.mlir\n",
     runQuantize},
    {"prune", "make the weights zero, or remove the channels, that matter least",
     "  halftone prune model.onnx --sparsity=0.7 -o pruned.mlirbc\n"
     "  halftone prune model.onnx --sparsity=0.7 --data samples.npz -o "
     "pruned.mlirbc\n"
     "  halftone prune model.onnx --pattern=2:4 --exclude 'head.*' -o "
     "pruned.mlirbc\n"
     "  halftone prune model.onnx --pattern=channels --sparsity=0.4 -o "
     "pruned.mlirbc\n"
     "  halftone prune model.onnx --predict --sparsity=0.7\n",
     runPrune},
    {"train", "retrain a model's weights, as floats or through casts",
     "  halftone train model.onnx --data train.npz --labels label --epochs 3 "
     "-o trained.mlirbc\n"
     "  halftone train model.onnx --data samples.npz --teacher model.onnx "
     "--optimizer=adam --rate 1e-4 -o trained.mlirbc\n",
     runTrain},
    {"export", "an ONNX file for other runtimes, quantized models in QDQ form",
     "  halftone export quantized.mlirbc -o quantized.onnx\n"
     "  halftone export pruned.mlirbc -o pruned.onnx\n",
     runExport},
    {"compile", "a stage file to native code",
     "  halftone compile quantized.mlirbc -o model.so\n"
     "  halftone compile integer.mlir --target-cpu=x86-64-v3 -o model.so\n"
     "  halftone compile seq16.mlirbc seq32.mlirbc -o text.so\n",
     runCompile},
    {"run", "run a compiled model on samples",
     "  halftone run model.so --input x.npz -o y.npz\n"
     "  halftone run model.so --input pictures -o y.npz\n",
     runRun},
    {"bench", "latency, interleaved with other models",
     "  halftone bench model.so\n"
     "  halftone bench model.so --against float.so --threads 2\n",
     runBench},
    {"compare", "how near the outputs of two models are",
     "  halftone compare float.so model.so --data test.npz --labels label\n"
     "  halftone compare integer.mlir model.so --data test.npz --exact\n"
     "  halftone compare model.onnx quantized.mlirbc --data test.npz --report "
     "r.html\n",
     runCompare},
    {"check", "what would be int8, float or unsupported; needs no data",
     "  halftone check model.onnx\n", runCheck},
    {"info", "inputs, outputs, target and versions",
     "  halftone info model.onnx\n"
     "  halftone info model.so\n",
     runInfo},
};

llvm::ArrayRef<Command> mlir::halftone::allCommands() { return kCommands; }
