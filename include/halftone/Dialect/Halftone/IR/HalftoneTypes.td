//===- HalftoneTypes.td - quantized element types --------------*- tablegen -*-===//
#ifndef HALFTONE_TYPES
#define HALFTONE_TYPES

include "halftone/Dialect/Halftone/IR/HalftoneDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinTypeInterfaces.td"

def Halftone_CodebookType
    : TypeDef<Halftone_Dialect, "Codebook",
              [DeclareTypeInterfaceMethods<VectorElementTypeInterface>]> {
  let mnemonic = "codebook";
  let summary = "An index into a table of levels";
  let description = [{
    A value of `2^bits` levels, stored as an index (one per byte until weights are packed). The levels (int8) and
    the scales (f32) are operands of `halftone.dequantize`, so that they can be trained and do not swell the type:
    `real = f32(levels[code]) * scale[c]`, c the index along `axis`, or one scale if `axis` is -1.
    The meaning is that of a quantile (lookup table) storage type. `1 <= bits <= 8`.

    ```mlir
    tensor<3x3x16x32x!halftone.codebook<4, axis = 3>>
    ```
  }];
  let parameters = (ins "unsigned":$bits, "int32_t":$axis);
  let assemblyFormat = "`<` $bits `,` `axis` `=` $axis `>`";
  let genVerifyDecl = 1;
}

#endif // HALFTONE_TYPES
