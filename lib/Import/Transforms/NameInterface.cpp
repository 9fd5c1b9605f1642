//===- NameInterface.cpp - a foreign module gets names and a stage ----------===//
#include "NameInterface.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Import/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_NAMEINTERFACE
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// What the converters of TensorFlow's formats write: {inputs = "x,y", outputs = "z"}.
static constexpr StringLiteral kEntryNames = "tf.entry_function";

/// Names of one side of the interface, if there is one for each value.
static SmallVector<StringRef> entryNames(func::FuncOp function, StringRef side, unsigned count) {
  auto dictionary = function->getAttrOfType<DictionaryAttr>(kEntryNames);
  auto list = dictionary ? dictionary.getAs<StringAttr>(side) : StringAttr();
  SmallVector<StringRef> names;
  if (list)
    list.getValue().split(names, ',');
  bool isComplete = names.size() == count && llvm::none_of(names, [](StringRef name) { return name.trim().empty(); });
  return isComplete ? names : SmallVector<StringRef>();
}

void mlir::halftone::nameInterface(func::FuncOp entry) {
  Builder builder(entry.getContext());
  auto pick = [&](ArrayRef<StringRef> names, StringRef side, unsigned i) {
    return builder.getStringAttr(names.empty() ? side + (i ? Twine(i) : Twine("")) : Twine(names[i].trim()));
  };
  SmallVector<StringRef> inputs = entryNames(entry, "inputs", entry.getNumArguments()), outputs = entryNames(entry, "outputs", entry.getNumResults());
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    if (!entry.getArgAttr(i, kNameAttr))
      entry.setArgAttr(i, kNameAttr, pick(inputs, "input", i));
  for (unsigned i = 0; i < entry.getNumResults(); ++i)
    if (!entry.getResultAttr(i, kNameAttr))
      entry.setResultAttr(i, kNameAttr, pick(outputs, "output", i));
}

namespace {
struct NameInterface : halftone::impl::NameInterfaceBase<NameInterface> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Builder builder(&getContext());
    SmallVector<func::FuncOp> functions;
    for (auto function : module.getOps<func::FuncOp>())
      if (function.isPublic())
        functions.push_back(function);
    if (functions.size() != 1) {
      module.emitError("needs exactly one public function as its entry, found ") << functions.size();
      return signalPassFailure();
    }
    func::FuncOp entry = functions.front();
    entry.setName("main");
    nameInterface(entry);
    if (!module->hasAttr(kStageAttr))
      module->setAttr(kStageAttr, builder.getStringAttr("import"));
    if (!module->hasAttr(kVersionAttr))
      module->setAttr(kVersionAttr, builder.getI64IntegerAttr(1));
  }
};
} // namespace
