//===- Requantization.h - from accumulators and codes to codes
//--------------===//
//
// The scalar arithmetic of docs/Arithmetic.md as it is written into the regions
// of generics: every pass of this stage builds its regions from these
// functions, so that all of them have one form.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_INTEGER_REQUANTIZATION_H
#define HALFTONE_LIB_INTEGER_REQUANTIZATION_H

#include "mlir/IR/Builders.h"
#include <optional>

namespace mlir::halftone {

/// How a tensor of one scale is stored: real = (code - zero) * scale, code in
/// [low, high] (rule A3).
struct CodeFormat {
  float scale;
  int32_t zero, low, high;

  /// The format of a per-tensor `!quant.uniform` (or of a tensor of it);
  /// nothing for any other type.
  static std::optional<CodeFormat> get(Type type);

  /// The logical value `code - zero` of a real number (rule A1).
  int32_t logicalValue(float real) const;

  /// The largest |code - zero|.
  int32_t largestLogicalValue() const {
    return std::max(high - zero, zero - low);
  }
};

/// Where a result is cut off, on logical values (rule A9).
class Bounds {
public:
  explicit Bounds(const CodeFormat &format)
      : format(format), low(format.low - format.zero),
        high(format.high - format.zero) {}

  /// What `maximumf(x, real)` and `minimumf(x, real)` before the quantization
  /// make of the bounds.
  void applyMaximum(float real);
  void applyMinimum(float real);

  float getLow() const { return low; }
  float getHigh() const { return high; }

private:
  CodeFormat format;
  int32_t low, high;
};

Value emitFloat(OpBuilder &builder, Location loc, float value);
Value emitInteger(OpBuilder &builder, Location loc, int32_t value);

/// `q - zero` in i32 of an i8 code.
Value emitLogical(OpBuilder &builder, Location loc, Value code, int32_t zero);

/// The real number of an i8 code (rule A3).
Value emitReal(OpBuilder &builder, Location loc, Value code,
               const CodeFormat &format);

/// `clamp(y, low, high)` of f32 numbers (rule A2).
Value emitClamp(OpBuilder &builder, Location loc, Value y, Value low,
                Value high);

/// The i8 code of the logical value `y` (f32): clamp, round, add the zero point
/// (rules A2 and A7).
Value emitCode(OpBuilder &builder, Location loc, Value y, const Bounds &bounds,
               int32_t zero);

/// The i8 code of a real number: `emitCode` of its true quotient by the scale
/// (rule A1).
Value emitQuantized(OpBuilder &builder, Location loc, Value real,
                    const CodeFormat &format);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_INTEGER_REQUANTIZATION_H
