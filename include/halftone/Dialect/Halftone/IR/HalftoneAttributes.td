//===- HalftoneAttributes.td - attributes ----------------------*- tablegen -*-===//
#ifndef HALFTONE_ATTRIBUTES
#define HALFTONE_ATTRIBUTES

include "halftone/Dialect/Halftone/IR/HalftoneDialect.td"
include "mlir/IR/AttrTypeBase.td"

def Halftone_DimAttr : AttrDef<Halftone_Dialect, "Dim"> {
  let mnemonic = "dim";
  let summary = "A symbolic dimension with its bounds";
  let description = [{
    Names a dynamic dimension of an argument and the sizes that it may have at run time, both inclusive.
    Memory is planned for the upper bound. `1 <= low <= high`.

    ```mlir
    #halftone.dim<"batch", 1, 32>
    ```
  }];
  let parameters = (ins StringRefParameter<"symbol">:$symbol, "int64_t":$low, "int64_t":$high);
  let assemblyFormat = "`<` $symbol `,` $low `,` $high `>`";
  let genVerifyDecl = 1;
}

#endif // HALFTONE_ATTRIBUTES
