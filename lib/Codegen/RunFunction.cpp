//===- RunFunction.cpp - the C entry of an artefact -------------------------===//
#include "halftone/Codegen/RunFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::halftone;

func::FuncOp mlir::halftone::createInternalFunction(ModuleOp module, Location loc, StringRef name, FunctionType type) {
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  auto function = func::FuncOp::create(builder, loc, name, type);
  function.setPrivate();
  function->setAttr("llvm.linkage", LLVM::LinkageAttr::get(module.getContext(), LLVM::Linkage::Internal));
  function.addEntryBlock();
  return function;
}

func::FuncOp mlir::halftone::createRunFunction(ModuleOp module, Location loc, StringRef name) {
  Builder types(module.getContext());
  Type pointer = LLVM::LLVMPointerType::get(module.getContext());
  auto run = createInternalFunction(
      module, loc, name, types.getFunctionType({pointer, pointer, types.getI64Type(), pointer, pointer, pointer}, {types.getI32Type()}));
  run.setPublic();
  return run;
}

OpBuilder mlir::halftone::checkBatch(func::FuncOp run, int64_t low, int64_t high) {
  Location loc = run.getLoc();
  Block *entry = &run.getBody().front(), *refuse = run.addBlock(), *body = run.addBlock();
  auto builder = OpBuilder::atBlockEnd(entry);
  Value least = arith::ConstantIntOp::create(builder, loc, low, 64);
  Value span = arith::ConstantIntOp::create(builder, loc, high - low, 64);
  Value above = arith::SubIOp::create(builder, loc, run.getArgument(2), least);
  Value inside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ule, above, span);
  cf::CondBranchOp::create(builder, loc, inside, body, ValueRange(), refuse, ValueRange());
  builder.setInsertionPointToEnd(refuse);
  Value refused = arith::ConstantIntOp::create(builder, loc, 1, 32);
  func::ReturnOp::create(builder, loc, refused);
  builder.setInsertionPointToEnd(body);
  return builder;
}
