//===- ModelSizes.cpp - Several sizes of a model's dimensions -------------===//
#include "ModelSizes.h"
#include "Command.h"
#include "ModelFile.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/InterfaceType.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/WithColor.h"
#include <set>

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

//===----------------------------------------------------------------------===//
// --dim
//===----------------------------------------------------------------------===//

/// Each takes a compilation, and its code is in the library.
static constexpr size_t kMostSizes = 32;

/// The sizes of `name=size,size`, in ascending order.
static Expected<SmallVector<int64_t>> parseList(StringRef text) {
  SmallVector<StringRef> words;
  text.split('=').second.split(words, ',');
  SmallVector<int64_t> sizes;
  for (StringRef word : words) {
    int64_t size = 0;
    if (word.getAsInteger(10, size) || size < 1)
      return userError("--dim '" + text + "': '" + word + "' is no size; a list is NAME=SIZE,SIZE,... of numbers from 1");
    if (llvm::is_contained(sizes, size))
      return userError("--dim '" + text + "': the size " + word + " is given twice");
    sizes.push_back(size);
  }
  llvm::sort(sizes);
  return sizes;
}

Expected<std::vector<ModelSize>> mlir::halftone::combineSizes(ArrayRef<std::string> dims, const ImportOptions &others) {
  ImportOptions single = others;
  std::map<std::string, SmallVector<int64_t>> lists;
  for (const std::string &text : dims) {
    std::string name = StringRef(text).split('=').first.str(), reason;
    lists.erase(name);
    if (!name.empty() && StringRef(text).contains(',')) {
      Expected<SmallVector<int64_t>> list = parseList(text);
      if (!list)
        return list.takeError();
      lists[name] = std::move(*list);
    } else if (!parseDim(text, single.dims, reason)) {
      return userError("--dim '" + text + "': " + reason);
    }
  }
  std::vector<ModelSize> all = {{"", "", single}};
  for (const auto &[name, list] : lists) {
    std::vector<ModelSize> longer;
    for (const ModelSize &size : all)
      for (int64_t extent : list) {
        ModelSize &next = longer.emplace_back(size);
        next.name += (next.name.empty() ? "" : ", ") + name + "=" + std::to_string(extent);
        next.import.dims[name] = {extent, extent};
      }
    all = std::move(longer);
    if (all.size() > kMostSizes)
      return userError("--dim: the lists have " + Twine(all.size()) + " combinations or more; a library has " + Twine(kMostSizes) +
                       " sizes at most");
  }
  return all;
}

//===----------------------------------------------------------------------===//
// What sizes have to have in common
//===----------------------------------------------------------------------===//

Expected<ModelSignature> ModelSignature::of(ModuleOp module) {
  ModelSignature signature;
  if (Error error = InputInterface::of(module).moveInto(signature.interface))
    return std::move(error);
  auto main = module.lookupSymbol<func::FuncOp>("main");
  for (auto [index, type] : llvm::enumerate(main.getResultTypes())) {
    auto shaped = dyn_cast<RankedTensorType>(interfaceType(type, main.getResultAttrDict(index)));
    std::optional<ElementType> element = shaped ? elementTypeOf(shaped.getElementType()) : std::nullopt;
    if (!element)
      return userError("output '" + resultName(main, index) + "' has a type that data cannot have");
    Shape shape(shaped.getShape());
    llvm::replace(shape, ShapedType::kDynamic, int64_t(-1));
    signature.outputs.push_back({resultName(main, index), *element, shape});
  }
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    if (auto dims = main.getArgAttrOfType<ArrayAttr>(i, kDimsAttr))
      for (auto dim : dims.getAsRange<Attribute>())
        if (auto bounds = dyn_cast<DimAttr>(dim))
          signature.openDimension = (bounds.getSymbol() + " = " + Twine(bounds.getLow()) + ".." + Twine(bounds.getHigh())).str();
  return signature;
}

static std::string describe(const InputSpec &spec) {
  return ("'" + spec.name + "': " + elementName(spec.type) + " " + formatShape(spec.shape)).str();
}

/// How two lists of tensors differ in more than extents, or "".
static std::string describeDifference(StringRef kind, ArrayRef<InputSpec> a, ArrayRef<InputSpec> b) {
  if (a.size() != b.size())
    return (Twine(a.size()) + " " + kind + "s and " + Twine(b.size())).str();
  for (auto [x, y] : llvm::zip(a, b)) {
    bool isAlike = x.name == y.name && x.type == y.type && x.shape.size() == y.shape.size();
    for (size_t axis = 0; isAlike && axis < x.shape.size(); ++axis)
      isAlike = (x.shape[axis] == -1) == (y.shape[axis] == -1);
    if (!isAlike)
      return kind.str() + " " + describe(x) + " and " + describe(y);
  }
  return "";
}

/// The first axis of the inputs, not a leading one, in which two sizes differ.
static std::optional<std::pair<size_t, size_t>> findDifferentAxis(const ModelSignature &a, const ModelSignature &b) {
  for (auto [input, x, y] : llvm::enumerate(a.interface.inputs, b.interface.inputs))
    for (size_t axis = 1; axis < x.shape.size(); ++axis)
      if (x.shape[axis] != y.shape[axis])
        return std::make_pair(input, axis);
  return std::nullopt;
}

static Error checkPair(const ModelSignature &a, StringRef nameA, const ModelSignature &b, StringRef nameB) {
  std::string names = ("'" + nameA + "' and '" + nameB + "'").str();
  std::string difference = describeDifference("input", a.interface.inputs, b.interface.inputs);
  if (difference.empty())
    difference = describeDifference("output", a.outputs, b.outputs);
  if (difference.empty() && a.openDimension != b.openDimension)
    difference = "the open dimensions " + a.openDimension + " and " + b.openDimension;
  if (!difference.empty())
    return userError(names + " are not sizes of one model, which differ in extents only: they have " + difference);
  if (!findDifferentAxis(a, b))
    return userError(names + " differ in no extent of the inputs but a leading one, which is the batch: one library takes any from LOW to HIGH, by "
                     "--dim NAME=LOW..HIGH");
  return Error::success();
}

/// Names sizes by the axes in which any two of them differ. Axes that have the same extents in each size are one dimension.
static void nameSizes(std::vector<ModelSize> &sizes, ArrayRef<ModelSignature> signatures) {
  std::set<SmallVector<int64_t>> known;
  for (auto [i, input] : llvm::enumerate(signatures.front().interface.inputs))
    for (size_t axis = 1; axis < input.shape.size(); ++axis) {
      SmallVector<int64_t> extents;
      for (const ModelSignature &signature : signatures)
        extents.push_back(signature.interface.inputs[i].shape[axis]);
      if (llvm::all_equal(extents) || !known.insert(extents).second)
        continue;
      for (auto [size, extent] : llvm::zip(sizes, extents))
        size.name += (size.name.empty() ? "" : ", ") + input.name + "." + std::to_string(axis) + "=" + std::to_string(extent);
    }
}

/// Puts the sizes into the order of their inputs' extents, so that the order of files is not that of the library.
static void sortSizes(std::vector<ModelSize> &sizes, std::vector<ModelSignature> &signatures) {
  auto shapesOf = [&](size_t i) {
    return llvm::to_vector(llvm::map_range(signatures[i].interface.inputs, [](const InputSpec &input) { return input.shape; }));
  };
  SmallVector<size_t> order = llvm::to_vector(llvm::seq<size_t>(0, sizes.size()));
  llvm::sort(order, [&](size_t a, size_t b) { return shapesOf(a) < shapesOf(b); });
  std::vector<ModelSize> sortedSizes;
  std::vector<ModelSignature> sortedSignatures;
  for (size_t i : order) {
    sortedSizes.push_back(std::move(sizes[i]));
    sortedSignatures.push_back(std::move(signatures[i]));
  }
  sizes = std::move(sortedSizes);
  signatures = std::move(sortedSignatures);
}

Expected<std::vector<ModelSignature>> mlir::halftone::checkSizes(std::vector<ModelSize> &sizes, StringRef library, SizeReader read) {
  if (!library.ends_with(".so"))
    return userError("several sizes go into a shared library: give '" + library + "' the ending .so, or one size");
  std::vector<ModelSignature> signatures;
  for (const ModelSize &size : sizes) {
    CompilerContext context;
    ScopedDiagnosticHandler quiet(context.get(), isRemark); // it is read again
    Expected<OwningOpRef<ModuleOp>> module = read(context.get(), size);
    if (!module)
      return errorOfSize(module.takeError(), size);
    Expected<ModelSignature> signature = ModelSignature::of(**module);
    if (!signature)
      return errorOfSize(signature.takeError(), size);
    for (auto [other, before] : llvm::zip(sizes, signatures))
      if (Error error = checkPair(before, other.name.empty() ? other.path : other.name, *signature, size.name.empty() ? size.path : size.name))
        return std::move(error);
    signatures.push_back(std::move(*signature));
  }
  if (sizes.front().name.empty()) {
    sortSizes(sizes, signatures);
    nameSizes(sizes, signatures);
  }
  return signatures;
}

LogicalResult mlir::halftone::isRemark(Diagnostic &diagnostic) {
  return success(diagnostic.getSeverity() == DiagnosticSeverity::Remark);
}

Error mlir::halftone::errorOfSize(Error error, const ModelSize &size) {
  if (size.name.empty())
    return error;
  if (!error.isA<Reported>())
    return userError("the size " + size.name + ": " + llvm::toString(std::move(error)));
  llvm::WithColor::note(llvm::errs(), "halftone") << "this is the model of the size " << size.name << "\n";
  return error;
}

void mlir::halftone::printConstantSizes(const ConstantSizes &bytes, size_t numSizes) {
  llvm::outs() << llvm::formatv("constants of {0} sizes: {1} bytes, of which {2} are common to all\n", numSizes, bytes.total, bytes.common);
}
