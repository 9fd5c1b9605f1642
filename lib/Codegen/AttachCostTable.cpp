//===- AttachCostTable.cpp - the module carries what choices consult --------===//
#include "halftone/Codegen/CostTable.h"
#include "halftone/Codegen/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_ATTACHCOSTTABLE
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct AttachCostTable : halftone::impl::AttachCostTableBase<AttachCostTable> {
  using AttachCostTableBase::AttachCostTableBase;

  void runOnOperation() override {
    const Isa *isa = requireIsa(getOperation(), target);
    if (!isa)
      return signalPassFailure();
    FailureOr<CostTable> table = file.empty() ? CostTable::of(getOperation(), *isa) : read(*isa);
    if (failed(table))
      return signalPassFailure();
    getOperation()->setAttr(kCostTableAttr, StringAttr::get(&getContext(), table->text()));
  }

private:
  FailureOr<CostTable> read(const Isa &isa) {
    llvm::Expected<CostTable> table = CostTable::read(file);
    if (!table)
      return getOperation().emitError() << llvm::toString(table.takeError());
    if (llvm::Error error = table->checkFor(isa))
      return getOperation().emitError() << "'" << file << "': " << llvm::toString(std::move(error));
    return std::move(*table);
  }
};

} // namespace
