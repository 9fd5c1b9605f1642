//===- ArrayFit.cpp - How an array of samples fits an input
//----------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/ArrayFit.h"

using namespace mlir::halftone;

llvm::ArrayRef<int64_t> mlir::halftone::withoutBatch(const InputSpec &spec) {
  return llvm::ArrayRef<int64_t>(spec.shape).drop_front(!spec.shape.empty());
}

/// True when \p shape is the whole input; a symbolic batch is then 1.
static bool isWholeInput(const InputSpec &spec, llvm::ArrayRef<int64_t> shape) {
  Shape whole = spec.shape;
  if (!whole.empty() && whole.front() == -1)
    whole.front() = 1;
  return shape == llvm::ArrayRef<int64_t>(whole);
}

/// The shape of one sample, when the array has the model's layout.
static std::optional<Shape> fitShape(const InputSpec &spec,
                                     llvm::ArrayRef<int64_t> shape) {
  if (shape.empty())
    return std::nullopt;
  llvm::ArrayRef<int64_t> sample = shape.drop_front();
  llvm::ArrayRef<int64_t> row = withoutBatch(spec);
  if (!spec.shape.empty() && sample == row)
    return Shape(row);
  if (!isWholeInput(spec, sample))
    return std::nullopt;
  bool isBatchOfOne =
      !spec.shape.empty() &&
      llvm::is_contained({int64_t(1), int64_t(-1)}, spec.shape.front());
  return Shape(isBatchOfOne ? row : sample);
}

/// True when a sample of this shape is a picture in the line's layout.
static bool isPicture(llvm::ArrayRef<int64_t> shape, const Preprocess &steps) {
  if (shape.size() == 2)
    return steps.numChannels() == 1;
  bool isPlanar = steps.layout == Preprocess::Layout::NCHW;
  return shape.size() == 3 && shape[isPlanar ? 0 : 2] == steps.numChannels();
}

static std::string describeWanted(const InputSpec &spec) {
  Shape row = {0}, whole = {0};
  row.append(withoutBatch(spec).begin(), withoutBatch(spec).end());
  whole.append(spec.shape);
  auto format = [](llvm::ArrayRef<int64_t> shape) {
    std::string rest = formatShape(shape.drop_front());
    return rest == "[]" ? std::string("[N]") : "[N, " + rest.substr(1);
  };
  return spec.shape.empty() ? format(whole)
                            : format(row) + " or " + format(whole);
}

static std::optional<ArrayFit> fitPixels(const InputSpec &spec,
                                         const Preprocess &steps,
                                         llvm::ArrayRef<int64_t> pixelShape,
                                         const std::string &array,
                                         ProblemList &problems) {
  auto converter = ImageConverter::create(steps, spec.type, withoutBatch(spec));
  if (!converter) {
    problems.addIfError(converter.takeError());
    return std::nullopt;
  }
  if (!isPicture(pixelShape, steps)) {
    problems.add(array + " has samples of shape " + formatShape(pixelShape) +
                 ", which are no pictures by its line '" + steps.print() + "'");
    return std::nullopt;
  }
  ArrayFit fit;
  fit.sampleShape = Shape(withoutBatch(spec));
  fit.converter = std::move(*converter);
  fit.pixelShape = Shape(pixelShape);
  return fit;
}

std::optional<ArrayFit>
mlir::halftone::fitArray(const InputSpec &spec, const Preprocess *steps,
                         ElementType type, llvm::ArrayRef<int64_t> shape,
                         const llvm::Twine &what, ProblemList &problems) {
  std::string array = what.str();
  std::optional<Shape> sample = fitShape(spec, shape);
  if (type == spec.type && sample) {
    ArrayFit fit;
    fit.sampleShape = std::move(*sample);
    return fit;
  }
  if (steps && type == ElementType::U8 && !shape.empty())
    return fitPixels(spec, *steps, shape.drop_front(), array, problems);
  if (type != spec.type)
    problems.add(array + " has elements of type " + elementName(type) +
                 ", the model's input takes " + elementName(spec.type) +
                 (type == ElementType::U8 && spec.type == ElementType::F32
                      ? "; if they are pixels, say how they become floats: "
                        "--input '" +
                            spec.name + ": u8 nhwc rgb mean=... std=...'"
                      : "; convert the array"));
  if (!sample)
    problems.add(array + " has shape " + formatShape(shape) +
                 ", N samples of the model's input " + formatShape(spec.shape) +
                 " have shape " + describeWanted(spec));
  return std::nullopt;
}
