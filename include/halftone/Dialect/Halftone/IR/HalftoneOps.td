//===- HalftoneOps.td - operations -----------------------------*- tablegen -*-===//
#ifndef HALFTONE_OPS
#define HALFTONE_OPS

include "halftone/Dialect/Halftone/IR/HalftoneDialect.td"
include "halftone/Dialect/Halftone/IR/HalftoneAttributes.td"
include "halftone/Dialect/Halftone/IR/HalftoneTypes.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

class Halftone_Op<string mnemonic, list<Trait> traits = []>
    : Op<Halftone_Dialect, mnemonic, traits>;

def Halftone_FloatTensor : RankedTensorOf<[F32]>;

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

def Halftone_QuantizeOp : Halftone_Op<"quantize", [Pure]> {
  let summary = "Quantize a float tensor";
  let description = [{
    Maps f32 to the codes of the result's `!quant.uniform` element type (per tensor or per axis):

    `code = z + roundeven(clamp(x / scale, qmin - z, qmax - z))`

    with true f32 division, clamp by compare and select (NaN gives qmin), round half to even, in this order
    (rules A1 and A2 of docs/Arithmetic.md). Shapes are equal; the scale is finite, normal and > 0; the axis of a
    per-axis type is within the rank and its extent is the number of scales. Storage is i8 with
    `-128 <= qmin < qmax <= 127`.

    The only fold is `quantize(dequantize(q)) = q` for equal types; `dequantize(quantize(x))` is kept.

    ```mlir
    %q = halftone.quantize %x : tensor<1x28x28x16xf32> to tensor<1x28x28x16x!quant.uniform<i8:f32, 0.05:-3>>
    ```
  }];
  let arguments = (ins Halftone_FloatTensor:$input);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Halftone_DequantizeOp : Halftone_Op<"dequantize", [Pure, AttrSizedOperandSegments]> {
  let summary = "The real values of a quantized tensor";
  let description = [{
    `!quant.uniform`: `x = f32(code - z) * scale`. `!halftone.codebook`: `x = f32(levels[code]) * scale[c]`, where
    `levels` is `tensor<2^bits x i8>` and `scales` is `tensor<channels x f32>` along the type's axis, or one f32
    (rule A3 of docs/Arithmetic.md). Levels and scales are given exactly for codebook types.

    ```mlir
    %x = halftone.dequantize %q : tensor<4x!quant.uniform<i8:f32, 0.05:-3>> to tensor<4xf32>
    %w = halftone.dequantize %c levels(%l : tensor<16xi8>) scales(%s : tensor<32xf32>)
        : tensor<3x3x16x32x!halftone.codebook<4, axis = 3>> to tensor<3x3x16x32xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input, Optional<RankedTensorOf<[I8]>>:$levels,
                       Optional<Halftone_FloatTensor>:$scales);
  let results = (outs Halftone_FloatTensor:$result);
  let assemblyFormat = [{
    $input (`levels` `(` $levels^ `:` type($levels) `)`)? (`scales` `(` $scales^ `:` type($scales) `)`)?
    attr-dict `:` type($input) `to` type($result)
  }];
  let hasVerifier = 1;
}

def Halftone_StorageCastOp : Halftone_Op<"storage_cast", [Pure]> {
  let summary = "Reinterpret codes as a codebook tensor or back";
  let description = [{
    What `quant.scast` is for `!quant.uniform`, for `!halftone.codebook`: i8 storage to the codebook type or back;
    no value changes. Codes are in `[0, 2^bits)`.

    ```mlir
    %w = halftone.storage_cast %codes : tensor<8x16xi8> to tensor<8x16x!halftone.codebook<4, axis = -1>>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Composites
//===----------------------------------------------------------------------===//

def Halftone_CompositeOp
    : Halftone_Op<"composite", [IsolatedFromAbove, SingleBlock, RecursiveMemoryEffects]> {
  let summary = "A named subgraph with its meaning";
  let description = [{
    The body is the meaning: it can always be inlined, evaluated and lowered as it is. The name is the handle for
    passes that know a better way. Body arguments are the operands; the body ends in `halftone.yield` of the
    results. `parameters` hold what the name needs (for example `epsilon`, `axis`, `kernel`).

    Names: `batch_norm`, `layer_norm`, `softmax`, `gelu`, `silu`, `hard_swish`, `hard_sigmoid`, `sigmoid`, `tanh`,
    `exp`, `sqrt`, `leaky_relu`, `avg_pool`, `resize`.

    ```mlir
    %y = halftone.composite "sigmoid" (%x) {} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      ...
      halftone.yield %r : tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins StrAttr:$name, Variadic<AnyType>:$inputs, DictionaryAttr:$parameters);
  let results = (outs Variadic<AnyType>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $name `(` $inputs `)` $parameters attr-dict-with-keyword `:` functional-type($inputs, $outputs) $body
  }];
  let hasVerifier = 1;
}

def Halftone_YieldOp
    : Halftone_Op<"yield", [Pure, Terminator, ReturnLike, ParentOneOf<["CompositeOp", "ContractOp"]>]> {
  let summary = "Ends the body of a composite or the epilogue of a contraction";
  let description = [{ Its operands are the results of the body. }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

//===----------------------------------------------------------------------===//
// Calibration
//===----------------------------------------------------------------------===//

def Halftone_ObserveOp : Halftone_Op<"observe"> {
  let summary = "Add a tensor's values to the calibration statistics";
  let description = [{
    For each element x of `input`: `counts[index][bits(x) >> 16] += 1` and `extrema[index] = {min, max}` of the
    values so far (NaN is counted in its own bins and left out of the extrema). Counts are exact, so statistics of
    shards merge by addition, in any order.

    ```mlir
    halftone.observe %x into %counts, %extrema {index = 3 : i64}
        : tensor<1x8xf32>, memref<10x65536xi64>, memref<10x2xf32>
    ```
  }];
  let arguments = (ins AnyTypeOf<[RankedTensorOf<[F32]>, MemRefOf<[F32]>]>:$input,
                       Arg<MemRefOf<[I64]>, "counts", [MemRead, MemWrite]>:$counts,
                       Arg<MemRefOf<[F32]>, "extrema", [MemRead, MemWrite]>:$extrema,
                       I64Attr:$index);
  let assemblyFormat = [{
    $input `into` $counts `,` $extrema attr-dict `:` type($input) `,` type($counts) `,` type($extrema)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

class Halftone_KernelOp<string mnemonic, list<Trait> traits = []>
    : Halftone_Op<mnemonic, !listconcat(traits, [
        DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>])>;

def Halftone_LookupOp : Halftone_KernelOp<"lookup"> {
  let summary = "Map each 8-bit code through a table";
  let description = [{
    `output[i] = table[input[i] + 128]`: entry 0 belongs to code -128. Input and output have the same shape; the
    table has 256 entries. On tensors the op is destination style; on memrefs it writes `output`.

    ```mlir
    %y = halftone.lookup ins(%x, %table : tensor<4x8xi8>, tensor<256xi8>) outs(%init : tensor<4x8xi8>) -> tensor<4x8xi8>
    ```
  }];
  let arguments = (ins AnyShaped:$input, AnyShaped:$table, AnyShaped:$output);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let assemblyFormat = [{
    `ins` `(` $input `,` $table `:` type($input) `,` type($table) `)` `outs` `(` $output `:` type($output) `)`
    attr-dict (`->` type($outputs)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    MutableOperandRange getDpsInitsMutable() { return getOutputMutable(); }
  }];
}

def Halftone_ContractOp : Halftone_KernelOp<"contract", [SingleBlock]> {
  let summary = "Convolution or matrix product with a fused epilogue";
  let description = [{
    Every contraction with constant weights, in integers (i8 x i8, accumulated in i32) or in floats (f32, one chain
    of fused multiply-adds per output, indices ascending in kh, kw, ic):

    `acc[n,oh,ow,oc] = sum over kh, kw, ic of input[n, oh*sh + kh*dh, ow*sw + kw*dw, g*ICg + ic] * weights[kh,kw,ic,oc]`,
    `output[n,oh,ow,oc] = epilogue(acc, operands[map(n,oh,ow,oc)])`

    Shapes: input `N x H x W x C` (padding is data, already there), weights `KH x KW x ICg x OC` with
    `ICg = C / groups`, `g = oc / (OC / groups)`, output `N x OH x OW x OC`; or, for a matrix product, input `M x K`,
    weights `K x N`, output `M x N`. The region is the epilogue: its first argument is the accumulator, then one
    scalar for each epilogue operand, read through its affine map from the output's dimensions; it yields the
    output's element. `halftone-pack-weights` replaces the weights by their packed form and sets `packing`
    (`{kind, lanes, columns, run, kernel}`), after which only the kernel generator reads them.

    ```mlir
    %y = halftone.contract ins(%x, %w : tensor<1x30x30x16xi8>, tensor<3x3x16x32xi8>)
        epilogue(%bias, %m : tensor<32xi32>, tensor<32xf32>) outs(%init : tensor<1x28x28x32xi8>)
        attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64,
         epilogue_maps = [affine_map<(n, h, w, c) -> (c)>, affine_map<(n, h, w, c) -> (c)>]} {
    ^bb0(%acc: i32, %b: i32, %s: f32):
      ...
      halftone.yield %code : i8
    } -> tensor<1x28x28x32xi8>
    ```
  }];
  let arguments = (ins AnyShaped:$input, AnyShaped:$weights, Variadic<AnyShaped>:$epilogueInputs, AnyShaped:$output,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, I64Attr:$groups,
                       AffineMapArrayAttr:$epilogue_maps, OptionalAttr<DictionaryAttr>:$packing);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let regions = (region SizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    `ins` `(` $input `,` $weights `:` type($input) `,` type($weights) `)`
    (`epilogue` `(` $epilogueInputs^ `:` type($epilogueInputs) `)`)?
    `outs` `(` $output `:` type($output) `)` attr-dict-with-keyword $epilogue (`->` type($outputs)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    MutableOperandRange getDpsInitsMutable() { return getOutputMutable(); }
  }];
}

#endif // HALFTONE_OPS
