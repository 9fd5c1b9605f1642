//===- Passes.td - the codegen stage's passes ------------------*- tablegen -*-===//
#ifndef HALFTONE_CODEGEN_PASSES
#define HALFTONE_CODEGEN_PASSES

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// Kernels: contractions and everything structured, to loops of vectors
//===----------------------------------------------------------------------===//

def FormContractions : Pass<"halftone-form-contractions", "func::FuncOp"> {
  let summary = "Turn convolutions and matrix products with constant weights into halftone.contract";
  let description = [{
    `linalg.conv_2d_nhwc_hwcf`, `linalg.depthwise_conv_2d_nhwc_hwc`, `linalg.conv_2d_nhwgc_gfhwc` (with the reshapes
    around it) and `linalg.matmul` on i8 or f32, with constant weights and a zero accumulator, become
    `halftone.contract`. Elementwise generics that are the only consumer of a contraction (bias, requantization,
    residual addition, clamp) become its epilogue, one after the other.

    ```mlir
    %c = linalg.matmul ins(%x, %w : tensor<4x8xi8>, tensor<8x16xi8>) outs(%zero : tensor<4x16xi32>)
    %r = linalg.generic {...} ins(%c, %bias : ...) outs(%e : tensor<4x16xi8>) { addi, ..., trunci }
    ```
    becomes
    ```mlir
    %r = halftone.contract ins(%x, %w : ...) epilogue(%bias : tensor<16xi32>) outs(%e : tensor<4x16xi8>) ... {
    ^bb0(%acc: i32, %b: i32): addi, ..., trunci; halftone.yield %code : i8
    }
    ```

    Contractions of two computed tensors are left alone: they have no weights to pack.
  }];
  let dependentDialects = ["halftone::HalftoneDialect", "arith::ArithDialect"];
  let statistics = [
    Statistic<"numContractions", "contractions", "Number of contractions formed">,
    Statistic<"numFused", "fused", "Number of elementwise operations fused into epilogues">
  ];
}

def PackWeights : Pass<"halftone-pack-weights", "func::FuncOp"> {
  let summary = "Lay the weights of each contraction out as its kernel reads them";
  let description = [{
    Chooses the kernel of each `halftone.contract` from the table of instruction sets (IsaTable.h) and replaces the
    weights by a constant in that kernel's order, described by the attribute `packing`:

    - Columns are cut into panels of `columns` output channels, the last one narrower, all padded with zeros to whole
      vectors. Inside a panel the order is `[step][column][k]`, with `k` the elements of one dot of the instruction
      (4 for `vpdpbusd`, 1 for fma).
    - One run of steps covers the contiguous bytes under one kernel row (`KW * IC` when the dilation is 1 and there is
      one group), else one tap; each run is padded with zero weights to whole steps, so that the kernel may read past
      the run's end.
    - `vpdpbusd` multiplies unsigned by signed bytes: the kernel flips the sign bit of the activations, which adds 128
      to each, and each panel begins with the i32 row `-128 * sum(w)` that starts the accumulators and takes it away
      again, exactly.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512vnni\"", "The instruction set, a name of IsaTable.h">
  ];
  let dependentDialects = ["halftone::HalftoneDialect", "arith::ArithDialect"];
  let statistics = [Statistic<"numPacked", "packed", "Number of contractions packed">];
}

def LowerContract : Pass<"halftone-lower-contract", "func::FuncOp"> {
  let summary = "Generate the kernels of contractions as loops of vector operations";
  let description = [{
    Each `halftone.contract` on memrefs with packed weights becomes one `scf.forall` over parts of the output and, inside
    it, loops over panels, rows and the reduction around a register tile: accumulators are loop-carried vectors, each step loads
    the panel's vectors once, broadcasts the activations of each row and issues one dot per accumulator. The epilogue
    runs on the accumulators, 1 vector at a time, and its results are stored without masks. The number of parts
    depends on shapes and target only.

    Reads may pass the end of the input by less than one dot (4 bytes).
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512vnni\"", "The instruction set, a name of IsaTable.h">
  ];
  let dependentDialects = ["affine::AffineDialect", "arith::ArithDialect", "memref::MemRefDialect", "scf::SCFDialect",
                           "vector::VectorDialect", "math::MathDialect", "LLVM::LLVMDialect"];
  let statistics = [Statistic<"numKernels", "kernels", "Number of kernels generated">];
}

def LowerStructured : Pass<"halftone-lower-structured", "func::FuncOp"> {
  let summary = "Generate the kernels of structured operations other than contractions";
  let description = [{
    linalg operations on memrefs, `halftone.lookup` and `memref.copy` become one `scf.forall` over parts of the output
    and, inside it, loops of vector operations along the innermost dimension of the output. Every buffer is a base and a
    stride for each loop, so loops that are one run of memory in all of them are joined first. An operand that is
    contiguous along the vector is loaded, one that does not vary is broadcast, any other is gathered by scalar loads.
    Reductions are carried in registers, in the order of the scalar loops: results are equal to theirs bit for bit.

    What does not fit (maps that are not linear, `linalg.index`, several results, i1 in memory) becomes scalar loops.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512vnni\"", "The instruction set, a name of IsaTable.h">
  ];
  let dependentDialects = ["affine::AffineDialect", "arith::ArithDialect", "memref::MemRefDialect", "scf::SCFDialect",
                           "vector::VectorDialect", "LLVM::LLVMDialect"];
  let statistics = [
    Statistic<"numVectorized", "vectorized", "Number of operations lowered to vector loops">,
    Statistic<"numScalar", "scalar", "Number of operations lowered to scalar loops">
  ];
}

#endif // HALFTONE_CODEGEN_PASSES
