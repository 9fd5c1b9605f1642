//===- SmallFloats.h - numbers of 4 and 8 bits with an exponent --------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_SMALLFLOATS_H
#define HALFTONE_LIB_IMPORT_ONNX_SMALLFLOATS_H

#include "Node.h"

namespace mlir::halftone::importer {

/// Whether the type is one of ONNX's floats of 4 or 8 bits. A HostTensor of it has a code in each byte, an SSA value the f32 that it stands for.
bool isSmallFloat(Type element);

/// The f32 that each code stands for.
std::vector<float> decodeSmallFloats(Type element, const std::string &codes);

/// The code of each number, rounded to the nearest, halves to even; above the greatest of the type is the greatest (`saturates`), else infinity, or NaN
/// where the type has none. Of 8 bits.
std::string encodeSmallFloats(Type element, ArrayRef<double> numbers, bool saturates);

/// The f32 that the codes stand for, under the same name.
HostTensor widenSmallFloats(const HostTensor &codes);
/// The same of a tensor of such a type, else itself.
Tensor asFloats(const Tensor &tensor);

/// The f32 scalar rounded to a number of the type, as `encodeSmallFloats` does.
Value emitSmallFloat(OpBuilder &builder, Location loc, Type element, Value x, bool saturates);

/// Whether an operator of ONNX's own domain takes such numbers.
bool takesSmallFloats(StringRef type);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_SMALLFLOATS_H
