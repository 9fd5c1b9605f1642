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

def GuardDivisions : Pass<"halftone-guard-divisions", "func::FuncOp"> {
  let summary = "Integer divisions that are defined for every divisor";
  let description = [{
    A division of integers by 0, or of the least signed one by -1, ends a process, and lanes of a vector behind the last column may have any divisor. Here
    x / 0 and x % 0 become 0, and x / -1 is 0 - x, which wraps. Divisors that are other constants, and indices, stay as they are.

    ```mlir
    %q = arith.divsi %x, %y : i32
    ```
    becomes
    ```mlir
    %z = arith.cmpi eq, %y, %c0 : i32
    %m = arith.cmpi eq, %y, %c-1 : i32
    %g = arith.ori %z, %m : i1
    %d = arith.select %g, %c1, %y : i32
    %p = arith.divsi %x, %d : i32
    %n = arith.subi %c0, %x : i32
    %r = arith.select %m, %n, %p : i32
    %q = arith.select %z, %c0, %r : i32
    ```
  }];
  let statistics = [Statistic<"guarded", "guarded", "Number of guarded divisions">];
  let dependentDialects = ["arith::ArithDialect"];
}

def ClampCodes : Pass<"halftone-clamp-codes", "func::FuncOp"> {
  let summary = "Clamp behind the rounding of a requantization, in integers";
  let description = [{
    A requantization (A7, A8, A11) clamps a real between two integers and rounds it. Rounding is monotonic and maps an
    integer to itself, so this may change places, bit for bit, if the real is known to fit an i32:

    ```mlir
    %p = arith.cmpf ogt, %y, %lo   %a = arith.select %p, %y, %lo
    %q = arith.cmpf olt, %a, %hi   %b = arith.select %q, %a, %hi
    %r = math.roundeven %b
    %i = arith.fptosi %r : f32 to i32
    ```
    becomes
    ```mlir
    %r = math.roundeven %y
    %i = arith.fptosi %r : f32 to i32
    %a = arith.maxsi %i, %ilo
    %b = arith.minsi %a, %ihi
    ```

    A kernel that narrows with saturation gets such a clamp for nothing. The proof bounds the magnitude of each value of the body, for each
    channel: codes by their width, accumulators by the channel's weights, multipliers and biases by their constants. A channel of tiny weights has a bias of
    up to 2^31, one of zeros a multiplier of 1 and more; only within one channel they have a bound. What has none (the caller's floats) is left alone.
  }];
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect"];
  let statistics = [Statistic<"numClamps", "clamps", "Number of clamps moved behind the rounding">];
}

def FormProducts : Pass<"halftone-form-products", "func::FuncOp"> {
  let summary = "Give products of two activations the form that their kernel reads";
  let description = [{
    `linalg.quantized_batch_matmul` on i8 and `linalg.batch_matmul` on f32, with a sum that starts at zero, become a
    `linalg.generic` marked with the kernel that computes it (`halftone.product`). It reads by any strides: transposes in front of
    the factors are left out where the reduction (of the right factor: or the columns) stays innermost, and batch
    dimensions that both factors joined are apart again. One elementwise operation behind the sums follows them there.

    ```mlir
    %t = linalg.transpose ins(%k : tensor<2x64x12x32xi8>) ... permutation = [0, 2, 3, 1]
    %b = tensor.collapse_shape %t [[0, 1], [2], [3]] : tensor<2x12x32x64xi8> into tensor<24x32x64xi8>
    %c = linalg.quantized_batch_matmul ins(%a, %b, %za, %zb : ...) outs(%zero : tensor<24x64x64xi32>)
    // becomes
    %g = linalg.generic {halftone.product = "vpdpbusd_512", ...} ins(%q, %k : tensor<2x64x12x32xi8>, tensor<2x64x12x32xi8>)
                        outs(%zero : tensor<2x12x64x64xi32>) { extsi, subi %za, muli, addi }
    %c = tensor.collapse_shape %g [[0, 1], [2], [3]]
    ```

    Left alone: a right factor with a zero point; on targets without dots of four bytes; with AVX2's dots, a right factor whose
    codes are not known to be above -128 (by the clamps of what makes it), for which they are not exact.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512vnni\"", "The instruction set, a name of IsaTable.h">
  ];
  let dependentDialects = ["arith::ArithDialect", "linalg::LinalgDialect", "tensor::TensorDialect"];
  let statistics = [Statistic<"numProducts", "products", "Number of products formed">];
}

def AttachCostTable : Pass<"halftone-attach-cost-table", "::mlir::ModuleOp"> {
  let summary = "Give the module the numbers of the CPU that later choices consult";
  let description = [{
    The module's attribute `halftone.cost_table` gets the canonical text of a cost table (CostTable.h, docs/Performance.md): that of
    `file`; else the one that the module carries already; else the built-in one of the target. Passes that have a choice
    between codes that give the same bits (halftone-pack-weights, halftone-lower-contract) read it there, so the output
    depends on the module alone, and its hash stands in the artefact.

    ```mlir
    module attributes {halftone.cost_table = "{\22kernels\22:{\22amx\22:{..."} {
    ```

    A table that lacks a kernel of the target is an error.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512vnni\"", "The instruction set, a name of IsaTable.h">,
    Option<"file", "file", "std::string", "", "A JSON file; empty: the module's own table, or the built-in one">
  ];
}

def PackWeights : Pass<"halftone-pack-weights", "func::FuncOp"> {
  let summary = "Lay the weights of each contraction out as its kernel reads them";
  let description = [{
    Chooses the kernel of each `halftone.contract` from the table of instruction sets (IsaTable.h) and replaces the
    weights by a constant in that kernel's order, described by the attribute `packing`:

    - Columns are cut into panels of `columns` output channels, the last one narrower, all padded with zeros to whole
      vectors. Inside a panel the order is `[step][column][k]`, with `k` the elements of one dot of the instruction
      (4 for `vpdpbusd`, 1 for fma). The width of a panel is that of the register tiles: with AVX-512, 14 rows by 2 vectors, 9 by
      3 or 6 by 4. The cost model takes the fastest for each contraction; no output bit depends on it. With `shares-panels`, for libraries
      of several sizes, it is that of the most rows, and biases of windows stay in the epilogue, as bias correction has others for
      another share of padding: so a contraction has the same constant in each size.
    - One run of steps covers the contiguous bytes under one kernel row (`KW * IC` when the dilation is 1 and there is
      one group), else one tap; each run is padded with zero weights to whole steps, so that the kernel may read past
      the run's end.
    - Panels of bytes begin with a row of i32 that starts the accumulators: the bias, if the epilogue begins by adding
      a constant one, which then leaves the epilogue (it stays where others read the same weights and add another
      bias). `vpdpbusd` multiplies unsigned by signed bytes: the kernel flips the sign bit of the activations, which
      adds 128 to each, and the row takes `128 * sum(w)` away again, exactly.
    - Depthwise weights have an order of their own; see DepthwiseLayout.h.
    - Contractions whose packed weights have the same bytes share one constant.
    - Weights that take few values can be stored in few bits (WeightStorage.h), which the kernels decode: `bits` and `levels` in
      `packing` say so. 2 to 4 bits for up to 4, 8 or 16 values, or with a multiplier (`group`) for each
      column and group of 16 to 256 elements of the reduction, found as the greatest common divisor of its weights. 5 to 7
      bits for up to 128 values; on x86 2 to 5 bits where each `group` of 8 to 256 elements of a column has values of one of four tables, whose
      number takes 2 bits more for a group: `levels` has all four. The weights' values alone decide what is possible; the option
      `weight-storage`, what is done: `packed` takes the fewest bytes, `auto` those if the cost model predicts the layer to be faster
      with them (as one row that reads its weights from beyond L2), wide tables only where one instruction looks them up (`vpermb`), `bytes` keeps them always.
    - Where most quads (4 input channels of one tap and one output channel) are zero, and skipping them is predicted to be
      faster (SparseCost.h), the others alone are stored with their places; `packing` then has `quads`, their number. See
      SparseLayout.h.
    - 3x3 convolutions with stride 1 have fewer products by Winograd's F(4x4, 3x3) or F(2x2, 3x3) (Lavin and Gray, arXiv:1509.09308), in 16-bit
      integers and exactly, where that is predicted to be faster: on AVX2, and the former with dots of words (VNNI). `kind` is
      `winograd4_256`, `winograd2_256` or `winograd4_512` then, and `block` the rows of tiles that are transformed together. Left alone
      are odd channels or less than 8, weights in few bits, and weights whose sums could reach 2^25 (2^29) in magnitude. See WinogradLayout.h.

    Where a target has two kernels of bytes (AMX tiles and dots of vectors), the one that the cost model predicts to be faster is
    taken (CostModel.h). Both give the same bits.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512vnni\"", "The instruction set, a name of IsaTable.h">,
    Option<"weightStorage", "weight-storage", "::mlir::halftone::StorageChoice",
           "::mlir::halftone::StorageChoice::Automatic", "Which weights are stored in few bits", [{::llvm::cl::values(
             clEnumValN(::mlir::halftone::StorageChoice::Automatic, "auto", "those whose layer gets no slower by it"),
             clEnumValN(::mlir::halftone::StorageChoice::Bytes, "bytes", "none"),
             clEnumValN(::mlir::halftone::StorageChoice::Packed, "packed", "all that get smaller"))}]>,
    Option<"panelVectors", "panel-vectors", "int64_t", "0",
           "The vectors of a panel, as far as the kernel has tiles of so many; 0: as many as the cost model predicts to be fastest">,
    Option<"dense", "dense", "bool", "false", "Weights may change later: no kernel is made for the zeros or the sizes of those here">,
    Option<"sharesPanels", "shares-panels", "bool", "false",
           "Panels do not depend on the number of rows or positions, so that models of other sizes can have the same constants">
  ];
  let dependentDialects = ["halftone::HalftoneDialect", "arith::ArithDialect"];
  let statistics = [
    Statistic<"numPacked", "packed", "Number of contractions packed">,
    Statistic<"numInFewBits", "in-few-bits", "Number of contractions whose weights are stored in few bits">
  ];
}

def LowerContract : Pass<"halftone-lower-contract", "func::FuncOp"> {
  let summary = "Generate the kernels of contractions as loops of vector operations";
  let description = [{
    Each `halftone.contract` on memrefs with packed weights becomes one `scf.forall` over parts of the output and, inside
    it, loops over panels, rows and the reduction around a register tile: accumulators are loop-carried vectors, each step loads
    the panel's vectors once, broadcasts the activations of each row and issues one dot per accumulator. The epilogue
    runs on the accumulators, 1 vector at a time, and its results are stored without masks. The number of parts
    depends on shapes and target only; on AMX tiles, with the sizes of chunks, on the cost table. A tile's rows are positions of one row of the image, or of
    several whole rows where these are short. In long reductions, weights are asked for (prefetched) 2 KB before their use, and up to 16 tiles that read a
    panel ask for the next one, each for a part of it. The dots of a last vector of half the lanes or less take half of them.

    Weights of which only some quads are stored have a kernel of their own, whose lanes are positions (SparseKernel.cpp).

    Reads may pass the end of the input by less than one dot (4 bytes).
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512vnni\"", "The instruction set, a name of IsaTable.h">
  ];
  let dependentDialects = ["amx::AMXDialect", "affine::AffineDialect", "arith::ArithDialect", "memref::MemRefDialect", "scf::SCFDialect",
                           "vector::VectorDialect", "math::MathDialect", "LLVM::LLVMDialect",
                           "linalg::LinalgDialect"];
  let statistics = [Statistic<"numKernels", "kernels", "Number of kernels generated">];
}

def LowerLookups : Pass<"halftone-lower-lookups", "func::FuncOp"> {
  let summary = "Write lookups on memrefs as generics with one load for each code";
  let description = [{
    The scalar meaning of `halftone.lookup`, for the reference target; kernels are halftone-lower-structured's.
  }];
  let dependentDialects = ["arith::ArithDialect", "linalg::LinalgDialect", "memref::MemRefDialect"];
}

def LowerOuterProducts : Pass<"halftone-lower-outer-products", "func::FuncOp"> {
  let summary = "Generate register-tiled kernels for sums of products of two computed tensors";
  let description = [{
    A linalg operation on f32 memrefs that is one fma with static loops, of which one is contiguous in the output and in one
    input and absent from the other (columns), and another is absent from the first input (rows), becomes loops around a
    register tile of rows x columns: each step of the reduction loads the columns' vectors once, and broadcasts one scalar for
    each row. These are the gradients of weights: nothing is packed, both operands are activations in their places. The
    reductions keep their order, so that results are those of the scalar loops bit for bit. A fill by zero of an output
    that nothing has read is merged into the start of the accumulators.

    Everything else is left to `halftone-lower-structured`.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512vnni\"", "The instruction set, a name of IsaTable.h">
  ];
  let dependentDialects = ["affine::AffineDialect", "arith::ArithDialect", "memref::MemRefDialect", "scf::SCFDialect",
                           "vector::VectorDialect", "math::MathDialect"];
  let statistics = [Statistic<"numKernels", "kernels", "Number of kernels generated">];
}

def LowerProducts : Pass<"halftone-lower-products", "func::FuncOp"> {
  let summary = "Generate the kernels of products of two activations";
  let description = [{
    A product marked by halftone-form-products, on memrefs, becomes a loop over the matrices of its batch. Each turn packs the
    right factor into a scratch on the stack, in the order of halftone-pack-weights, and contracts the left one with it, as
    `halftone.contract` with that scratch for weights does. The sums of the columns, which the start row needs for the left
    factor's zero point and flipped signs, are found while packing. The elementwise operation that alone reads the sums becomes the
    kernel's epilogue, and may write its result in another order of dimensions.

    A product whose result is read, row by row, by what makes the left factor of the next product (attention: the scores, their softmax
    and codes) is one kernel with these: for each matrix both right factors are packed, and blocks of rows, of 16 KiB at most
    if that is 16 rows, go through all operations. The tensors between the products are never whole.

    Left to halftone-lower-outer-products and halftone-lower-structured: factors whose reduction is not innermost, rows read
    in steps from a caller's buffer where a step would go beyond it, right factors of more than 512 KiB.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx512vnni\"", "The instruction set, a name of IsaTable.h">
  ];
  let dependentDialects = ["affine::AffineDialect", "arith::ArithDialect", "memref::MemRefDialect", "scf::SCFDialect",
                           "vector::VectorDialect", "math::MathDialect", "LLVM::LLVMDialect", "halftone::HalftoneDialect"];
  let statistics = [
    Statistic<"numKernels", "kernels", "Number of kernels of single products">,
    Statistic<"numChains", "chains", "Number of kernels of two products with what stands between">
  ];
}

def LowerStructured : Pass<"halftone-lower-structured", "func::FuncOp"> {
  let summary = "Generate the kernels of structured operations other than contractions";
  let description = [{
    linalg operations on memrefs, `halftone.lookup` and `memref.copy` become one `scf.forall` over parts of the output
    and, inside it, loops of vector operations along the innermost dimension of the output. Every buffer is a base and a
    stride for each loop, so loops that are one run of memory in all of them are joined first. An operand that is
    contiguous along the vector is loaded, one that does not vary is broadcast, any other is gathered by scalar loads.
    Reductions are carried in registers, in the order of the scalar loops: results are equal to theirs bit for bit.
    Reductions along rows whose elements follow one another load blocks of rows and elements, and turn them in registers, instead of gathering.
    Up to 4 innermost elements that lie apart in the inputs, where the positions around them are contiguous (channels that come
    first), are computed for vectors of positions, which are interleaved in registers.

    What does not fit (maps that are not linear, `linalg.index`, several results) becomes scalar loops.
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

//===----------------------------------------------------------------------===//
// Tensors to planned memory
//===----------------------------------------------------------------------===//

def InlineComposites : Pass<"halftone-inline-composites", "::mlir::func::FuncOp"> {
  let summary = "Replace composites by their meaning";
  let description = [{
    The body of each `halftone.composite` takes its place. No later pass knows a composite's name; a pass that does
    runs before this one.

    ```mlir
    %y = halftone.composite "identity"(%x) {} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      halftone.yield %a : tensor<4xf32>
    }
    // becomes %x
    ```
  }];
  let statistics = [Statistic<"numInlined", "inlined", "Number of composites inlined">];
}

def FuseElementwise : Pass<"halftone-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Make one operation of elementwise operations that follow one another";
  let description = [{
    An elementwise generic whose result one other elementwise generic alone reads, once for each element, is computed there: the
    division of a softmax, what follows it and its rounding to codes are one pass over memory instead of three.

    ```mlir
    %p = linalg.generic (%e, %sum) { arith.divf }
    %q = linalg.generic (%p) { divf, clamp by cmpf and select, roundeven, fptosi, trunci }
    // becomes
    %q = linalg.generic (%e, %sum) { divf, divf, clamp, roundeven, fptosi, trunci }
    ```

    Left alone: results that are read more than once or broadcast (they would be computed again for each element), reductions
    (whose products and sums would round once, rule A16), bodies of more than 64 operations together.
  }];
  let dependentDialects = ["linalg::LinalgDialect", "tensor::TensorDialect", "affine::AffineDialect"];
  let statistics = [Statistic<"numFused", "fused", "Number of operations fused">];
}

def FuseTransposes : Pass<"halftone-fuse-transposes", "::mlir::func::FuncOp"> {
  let summary = "Compute elementwise results where their transpose belongs";
  let description = [{
    An elementwise `linalg.generic` that only a `linalg.transpose` reads writes the transposed result itself, if the transpose
    moves up to 4 channels from before the positions of a row to behind them. That is the input of most networks for images,
    which comes as floats with the channels first: its codes are written once, interleaved in registers
    (halftone-lower-structured), instead of twice. So does the epilogue of a product of two activations whose innermost dimension stays so: the
    heads of an attention come back together where its kernel writes them.

    ```mlir
    %q = linalg.generic {indexing_maps = [(n, c, h, w) -> (n, c, h, w), ...]} ins(%x : tensor<1x3x8x8xf32>) outs(...) {...}
    %t = linalg.transpose ins(%q : tensor<1x3x8x8xi8>) outs(%e : tensor<1x8x8x3xi8>) permutation = [0, 2, 3, 1]
    // becomes
    %t = linalg.generic {indexing_maps = [(n, h, w, c) -> (n, c, h, w), ...]} ins(%x : tensor<1x3x8x8xf32>) outs(%e : tensor<1x8x8x3xi8>) {...}
    ```

    Left alone: results with other readers; more channels, whose kernel would gather each float by itself; other permutations.
  }];
  let statistics = [Statistic<"numFused", "fused", "Number of transposes fused into their producers">];
}

def SplitBatch : Pass<"halftone-split-batch", "::mlir::ModuleOp"> {
  let summary = "Run the samples of a batch one after the other where that is faster";
  let description = [{
    Where the leading dimension of all inputs and outputs is the batch, dynamic or of one size, and the samples do not meet, @main may compute one sample and
    be called for each: the activations of one fit caches that those of all leave, and the memory is that of one. At once, weights
    are read once for all. The cost model predicts both for the greatest batch; both give the same bits. Where one after the other is not slower, @main takes
    one sample, and the module gets `halftone.samples` (the size of the leading dimension, the least and the greatest number), for
    halftone-loop-samples.

    ```mlir
    func.func @main(%x: tensor<?x112x112x32xf32> {halftone.dims = [#halftone.dim<"batch", 1, 8>, ...]}) -> tensor<?x112x112x32xf32>
    // becomes
    module attributes {halftone.samples = array<i64: -9223372036854775808, 1, 8>}
    func.func @main(%x: tensor<1x112x112x32xf32>) -> tensor<1x112x112x32xf32>
    ```

    Left alone: a batch of one; samples that are summed, cut, counted or joined with others; an output that does not lead with the batch.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let options = [Option<"target", "target", "std::string", "", "The instruction set, a name of IsaTable.h">];
  let statistics = [Statistic<"numSplit", "split", "Number of functions that take one sample now">];
}

def MergeConstants : Pass<"halftone-merge-constants", "::mlir::func::FuncOp"> {
  let summary = "Make one constant of those with equal contents";
  let description = [{
    Each `dense_resource` has a name, so that two with the same elements are two attributes, and two constants of the artefact. An `arith.constant`
    whose type and bytes an earlier one has gets that one's attribute; cse does the rest. Multipliers and tables of a loop's steps are equal.

    ```mlir
    %0 = arith.constant dense_resource<multiplier> : tensor<512xf32>
    %1 = arith.constant dense_resource<multiplier_1> : tensor<512xf32>    // the same bytes: becomes dense_resource<multiplier>
    ```
  }];
  let statistics = [Statistic<"numMerged", "merged", "Number of constants that are an earlier one">];
}

def SplitFills : Pass<"halftone-split-fills", "::mlir::func::FuncOp"> {
  let summary = "Give each destination a filled tensor of its own";
  let description = [{
    A filled tensor that several operations write into (cse makes one of equal ones) would be filled once and copied for
    each of them. Each operation gets its own fill and empty tensor instead, so that it works in place.

    ```mlir
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>)
    %a = linalg.matmul ins(...) outs(%f : tensor<4x4xf32>)
    %b = linalg.matmul ins(...) outs(%f : tensor<4x4xf32>)
    // becomes
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>)
    %a = linalg.matmul ins(...) outs(%f : tensor<4x4xf32>)
    %e1 = tensor.empty() : tensor<4x4xf32>
    %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<4x4xf32>)
    %b = linalg.matmul ins(...) outs(%f1 : tensor<4x4xf32>)
    ```
  }];
  let statistics = [Statistic<"numSplit", "split", "Number of fills made">];
}

def StoreUnsigned : Pass<"halftone-store-unsigned", "func::FuncOp"> {
  let summary = "Store codes as unsigned bytes where kernels read them so";
  let description = [{
    `vpdpbusd` multiplies unsigned by signed bytes, so its kernels flip the sign bit of each activation, again and again:
    one instruction for each broadcast. This pass stores `code + 128` (the byte `code xor 0x80`) instead, where every operation
    that touches the tensor can do so at no cost: the requantization that writes it adds 128 to its zero point,
    another one that reads it subtracts 128 more, a lookup gets another table, padding and fills another constant, maximum
    pooling compares unsigned. The contraction's `packing` gets the unit attribute `unsigned`. The left factors of products of two activations
    are read so, too; their bodies say it (`extui` and a zero point 128 higher).

    ```mlir
    %k = arith.addi %i, %z : i32          // z = -128
    halftone.yield (arith.trunci %k)
    ...
    halftone.contract ins(%codes, %w) {packing = {kind = "vpdpbusd_512", ...}}
    ```
    becomes
    ```mlir
    %k = arith.addi %i, %z : i32          // z = 0
    halftone.yield (arith.trunci %k)
    ...
    halftone.contract ins(%bytes, %w) {packing = {kind = "vpdpbusd_512", unsigned, ...}}
    ```

    Tensors that hold the same bytes (slices, pads, reshapes, transposes, concatenations) change together or not at all.
    Arguments, results, constants, and what an unknown operation touches are left alone, and so are tensors that no
    kernel wants unsigned.
  }];
  let dependentDialects = ["halftone::HalftoneDialect", "arith::ArithDialect"];
  let statistics = [Statistic<"numTensors", "tensors", "Number of tensors stored as unsigned bytes">];
}

def MaterializePadding : Pass<"halftone-materialize-padding", "::mlir::func::FuncOp"> {
  let summary = "Make padding a part of the producer's result";
  let description = [{
    A `tensor.pad` by a constant becomes a tensor of the padded shape of which only the border is filled; the producer
    of the source, when it is a destination-style op into a `tensor.empty`, writes into the interior. After
    bufferization no byte is copied.

    ```mlir
    %x = linalg.generic ... outs(%e : tensor<1x4x4x8xi8>)
    %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] { yield %z }
    // becomes
    %0 = tensor.empty() : tensor<1x6x6x8xi8>
    ... linalg.fill of the four sides of %0 by %z ...
    %i = tensor.extract_slice %3[0, 1, 1, 0] [1, 4, 4, 8] [1, 1, 1, 1]
    %x = linalg.generic ... outs(%i : tensor<1x4x4x8xi8>)
    %p = tensor.insert_slice %x into %3[0, 1, 1, 0] ...
    ```

    Several pads of one source with the same value share one tensor with the widest border on each side; the narrower
    ones and all other readers take a slice of it. Pads with another value, and pads of what no such op produces (an
    argument, a reshape), copy the source into the interior. A pad by a value that is not constant in the function
    is left alone.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numInPlace", "in-place", "Number of padded tensors that the producer writes directly">,
    Statistic<"numCopied", "copied", "Number of padded tensors into which the source is copied">
  ];
}

def FormEntry : Pass<"halftone-form-entry", "::mlir::ModuleOp"> {
  let summary = "Give @main buffers for its inputs and outputs";
  let description = [{
    Arguments of @main become read-only memrefs, results become memrefs that it writes, behind the inputs. What the
    artefact's table says of them is recorded on the module: `halftone.inputs` and `halftone.outputs` (an array of
    `{name, type, preprocess}`) and `halftone.batch` (least and greatest size of the dynamic leading dimension).

    ```mlir
    func.func @main(%x: tensor<?x8xf32> {halftone.name = "x", ...}) -> (tensor<?x4xf32> {halftone.name = "y"})
    // becomes
    func.func @main(%x: memref<?x8xf32> {...}, %y: memref<?x4xf32> {...}) {
      %0 = bufferization.to_tensor %x restrict : memref<?x8xf32> to tensor<?x8xf32>
      ...
      bufferization.materialize_in_destination %r in restrict writable %y
    ```

    The kernels of 8-bit contractions read up to some bytes past a row, which only the buffers of the arena have: an 8-bit
    argument or result that a contraction reads is copied.

    An argument or result with `halftone.unsigned` is recorded as unsigned. An argument that is a memref already (a buffer of observers) stays as it is, as
    an input. A dynamic dimension other than the first, or one without `halftone.dims`, is an error.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::tensor::TensorDialect"];
}

def Bufferize : Pass<"halftone-bufferize", "::mlir::ModuleOp"> {
  let summary = "Tensors to buffers, results written where they belong";
  let description = [{
    Elimination of empty tensors, then one-shot bufferization, with the project's operations; `tensor.concat` is
    decomposed into insertions before, into a tensor that exists when the first part is computed: parts that nobody else
    reads are written in place. A part with other readers is copied. Constants become `memref.global`, aligned to 64 bytes.

    The analysis takes quadratic time in what shares a buffer. So more than 32 slices of a value that are only read are taken of its buffer before it,
    constants that as many read are one for each, and more than 32 parts of a concatenation are groups that are copied.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::tensor::TensorDialect"];
}

def LowerCopies : Pass<"halftone-lower-copies", "::mlir::func::FuncOp"> {
  let summary = "Write copies of buffers as generics";
  let description = [{
    A `memref.copy` would become a library call; as a `linalg.generic` it is vectorized like everything else. A copy of
    a buffer to itself, which in-place bufferization leaves, is erased; to be run after cse.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
  let statistics = [Statistic<"numCopies", "copies", "Number of copies that bufferization could not avoid">];
}

def AssignPlanes : Pass<"halftone-assign-planes", "::mlir::func::FuncOp"> {
  let summary = "Keep positions side by side between sparse kernels";
  let description = [{
    A sparse kernel has the positions of one channel in its lanes, but buffers have the channels of one position side by side, so
    it transposes what it reads, its residual and what it writes. A buffer of `i8` that only sparse kernels use, position by
    position, gets a plane for each channel instead. A plane begins at a line of the cache (64 bytes); what is between its
    last position and the next plane is written and never read as a result.

    ```mlir
    // before
    %y = memref.alloc() : memref<1x4x5x20xi8>
    // after
    %y = memref.alloc() : memref<1x4x5x20xi8, strided<[1280, 5, 1, 64]>>
    ```

    Planes are for results and residuals of sparse contractions whose results are `i8`, and for the inputs of those among them that
    are products (1x1, stride 1). Left alone: buffers that anything else uses (windows, dense layers, pools, views), odd numbers of channels,
    shapes that are dynamic but for the batch, arguments of the function.
  }];
  let statistics = [Statistic<"numPlanes", "planes", "Number of buffers whose channels have planes">];
}

def ReuseBuffers : Pass<"halftone-reuse-buffers", "::mlir::func::FuncOp"> {
  let summary = "Write a contraction's result over its residual";
  let description = [{
    If the buffer that the epilogue of a `halftone.contract` reads position by position (an identity map: the residual of an
    addition) is not read afterwards, the result takes its place. Kernels read an element of the residual before they write
    it, and each position once, so the bits are the same; the working set of the addition shrinks by a third.

    ```mlir
    // before
    %r = memref.alloc() : memref<1x4x4x16xi8>
    %y = memref.alloc() : memref<1x4x4x16xi8>
    halftone.contract ins(%x, %w) epilogue(%r) outs(%y) ...   // the last use of %r, the first of %y
    // after
    halftone.contract ins(%x, %w) epilogue(%r) outs(%r) ...
    ```

    Left alone: residuals that are read later, of another type, read through another map, arguments and slices.
  }];
  let statistics = [Statistic<"numReused", "reused", "Number of buffers that took an operand's place">];
}

def ShareLayers : Pass<"halftone-share-layers", "::mlir::ModuleOp"> {
  let summary = "Make one function of the layers that a node of the source is written out as";
  let description = [{
    A loop of the source that is written out, as the steps of a recurrent network, is the same layers again and again, on other parts of the same
    buffers. Layers of one name (see halftone-annotate-layers) that are one operation each, and the same but for the buffers that they are given,
    become calls of one function, which is lowered, optimized and stored once:

    ```mlir
    linalg.generic ins(%gates_0, %cell_0) outs(%cell_1) {...}    // strided<[512, 1], offset: 0>
    linalg.generic ins(%gates_1, %cell_1) outs(%cell_2) {...}    // strided<[512, 1], offset: 512>
    // becomes
    call @shared_0(%gates_0, %cell_0, %cell_1)
    call @shared_0(%gates_1', %cell_1, %cell_2)                  // an unrealized_conversion_cast to offset 0

    func.func private @shared_0(%0: memref<1x512xf32>, %1: memref<1x128xf32>, %2: memref<1x128xf32>) {
      linalg.generic ins(%0, %1) outs(%2) {...}
      return
    }
    ```

    An argument has the shape and the strides of its operands and no offset: halftone-outline-parallel, which knows the calls, gives the functions
    pointers to the first elements. The rows of `halftone.observe` are parts of its buffers for that. Left alone: layers of several operations,
    products of two activations, operands that are dynamic.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [Statistic<"numFunctions", "functions", "Number of functions">,
                    Statistic<"numShared", "shared", "Number of layers that became calls">];
}

def LowerObservers : Pass<"halftone-lower-observers", "::mlir::func::FuncOp"> {
  let summary = "Write observers as loops over their buffer";
  let description = [{
    Each `halftone.observe` on a memref becomes a loop nest that counts the upper 16 bits of each value and keeps the
    least and the greatest, NaN left out. Serial: the counters are shared.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def PlanMemory : Pass<"halftone-plan-memory", "::mlir::ModuleOp"> {
  let summary = "Place all buffers in one arena at compile time";
  let description = [{
    Every `memref.alloc` of @main becomes a view at a constant offset into one new argument, the arena. A buffer lives from its
    first to its last use among the operations of the function's body (through views of it); buffers that do not live
    at the same time share bytes: the largest is placed first, each in the smallest gap that fits. Offsets are
    multiples of 64 bytes, and 64 bytes behind each buffer may be read. A dynamic leading dimension is planned for its bound
    (`halftone.batch`).

    ```mlir
    func.func @main(...)  { %0 = memref.alloc() : memref<1x8xf32> ... }
    // becomes
    func.func @main(..., %arena: memref<?xi8>) { %0 = memref.view %arena[%c0][] : memref<?xi8> to memref<1x8xf32> ... }
    ```

    The size is recorded as `halftone.workspace_bytes` on the module. An allocation without a known bound, or one
    inside of a parallel loop, is an error; no allocation, deallocation or `memref.copy` is left.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"numBuffers", "buffers", "Number of buffers placed">,
    Statistic<"bufferBytes", "buffer-bytes", "Bytes of all buffers">,
    Statistic<"arenaBytes", "arena-bytes", "Bytes of the arena">
  ];
}

def AnnotateLayers : Pass<"halftone-annotate-layers", "::mlir::ModuleOp"> {
  let summary = "List the layers for profiles, and mark their locations";
  let description = [{
    Each `halftone.contract`, linalg operation, lookup, observer and copy in the body of @main is a layer; fills of one buffer that follow one
    another, as the sides of a border, are one together, and so are a product of two activations, its epilogue, and all members of a chain that
    becomes one kernel (halftone-lower-products). The module's attribute
    `halftone.layers` gets its name (the first one in its location), kind, kernel, shapes, multiply-accumulates, of contractions
    what the cost model reads, and the bytes of its operands, each buffer once; a dynamic extent counts as
    what one sample has of it. The operation's location, and those of
    the operations in it, get the metadata `{halftone.layer = index}`, which all loops made of it inherit:

    ```mlir
    linalg.generic {...} ins(%x : memref<4xi8>) outs(%y : memref<4xi8>) {...} loc(fused<{halftone.layer = 3 : i64}>["relu"])
    ```

    Nothing but the artefact's list of layers depends on it.
  }];
  let options = [
    Option<"target", "target", "std::string", "", "The instruction set, a name of IsaTable.h; empty: scalar code">
  ];
  let statistics = [Statistic<"numLayers", "layers", "Number of layers">];
}

def OutlineParallel : Pass<"halftone-outline-parallel", "::mlir::ModuleOp"> {
  let summary = "Make the entry function, and a function of each parallel loop";
  let description = [{
    @main becomes `run(inputs, outputs, batch, workspace, parallelFor, pool) -> i32` of
    include/halftone-c/Artefact.h. Each `scf.forall` in its body becomes a function `layer(context, begin, end)`, given to `parallelFor`
    with the number of its iterations; a null `parallelFor` is replaced by a serial one. The context holds what `run` got;
    a layer rebuilds the buffers that it needs from it, by cloning the operations that compute them (views at constant
    offsets, constants, indices). A captured value that depends on memory or on a loop is an error. What is not parallel
    becomes a layer of one iteration: the neighbouring operations of one `halftone.layer` (see halftone-annotate-layers), or
    a loop of no layer; it stays in `run` if it uses what others compute. `halftone.layers` becomes the list of the
    functions in the order of their calls.

    The functions of halftone-share-layers, which @main calls, are outlined in the same way, once; their context is an array of pointers to the
    arguments' first elements. Up to 64 calls that follow one another are a function of their own, which fills the array before each: `run` stays short enough
    for the optimizer. The layers' `calls` count the calls of a run.

    `run` and each layer set the rounding and denormal modes to the default (round to nearest even, denormals kept) and
    restore the caller's at the end, in the way of the target's architecture. `run` returns 1 when `batch` is out of `halftone.batch`. Layers are named by the
    first name in their location.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::affine::AffineDialect",
                           "::mlir::cf::ControlFlowDialect", "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect"];
  let options = [
    Option<"target", "target", "std::string", "", "The instruction set, a name of IsaTable.h; empty: scalar code for x86-64">
  ];
  let statistics = [Statistic<"numLayers", "layers", "Number of parallel loops outlined">,
                    Statistic<"numSerial", "serial layers", "Number of layers outlined that are not parallel">];
}

def LoopSamples : Pass<"halftone-loop-samples", "::mlir::ModuleOp"> {
  let summary = "Run each sample of a batch";
  let description = [{
    With `halftone.samples` (see halftone-split-batch) the `run` of one sample becomes `halftone_run_sample`, and a new `run` calls it for each sample with
    pointers to its inputs and outputs, all with one workspace. `halftone.inputs`, `halftone.outputs` and `halftone.batch` become those of the batch, and
    `halftone.sample_calls` and each layer of `halftone.layers` say how often it is called (negative: so often for each sample of the batch).

    ```mlir
    func.func @halftone_run(%inputs, %outputs, %batch, %workspace, %parallelFor, %pool) -> i32 {
      ...
    ^body(%i: i64):
      call @halftone_run_sample(%input_pointers, %output_pointers, %one, %workspace, %parallelFor, %pool)
      ... // the pointers move on by one sample
      cf.cond_br %more, ^body(%next), ^done
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect",
                           "::mlir::func::FuncDialect"];
  let statistics = [Statistic<"numCalls", "calls", "Number of layers that are called once for each sample">];
}

def VerifyCodegen : Pass<"halftone-verify-codegen", "::mlir::ModuleOp"> {
  let summary = "Check the contract of the codegen stage";
  let description = [{
    Errors: no entry function; an operation of a dialect that is not alive after the stage; a tensor; an allocation or
    a copy; a parallel loop that was not outlined; a call inside of a loop; a float operation that leaves its rounding
    open (`vector.fma`, reductions and contractions of float vectors).
  }];
}

def LowerToLLVM : Pass<"halftone-lower-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Lower scalars, vectors, memrefs, functions and control flow to the LLVM dialect";
  let description = [{
    One conversion for all dialects that are alive after codegen. No fast-math flag is set; `math.fma` and
    `math.roundeven` become intrinsics that are single instructions. A function of the math dialect that would become
    a call into a library is an error: `halftone-expand-math` has to replace it before. Vectors of i1 are loaded and stored
    as bytes, of which each element of a mask has one in memory.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def PlantFault : Pass<"halftone-plant-fault", "::mlir::ModuleOp"> {
  let summary = "Plant a one-bit fault in a kernel, to test the tests";
  let description = [{
    For tests only, behind the codegen pipeline: flips the lowest bit of the first element that the store of number `store`
    writes, counting the stores of scalars and vectors in the order of the module, or that every store writes. A comparison
    of the compiled code with the reference has to notice. A number beyond the last store is an error that tells how many there are.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let options = [Option<"store", "store", "int64_t", "-1", "Number of the store, from 0; negative: every store">];
}

#endif // HALFTONE_CODEGEN_PASSES
