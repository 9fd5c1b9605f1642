//===- Emit.cpp - LLVM IR to machine code -----------------------------------===//
#include "Emit.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace mlir::halftone;

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> mlir::halftone::createTargetMachine(const CpuTarget &target) {
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64Target();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64AsmPrinter();
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeX86AsmParser(); // for the inline assembly of halftone_query
  std::string message;
  llvm::Triple triple(target.triple);
  const llvm::Target *llvmTarget = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!llvmTarget)
    return llvm::createStringError(message);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(
      llvmTarget->createTargetMachine(triple, target.llvmCpu, target.llvmFeatures, options, llvm::Reloc::PIC_,
                                      std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

void mlir::halftone::setFunctionAttributes(llvm::Module &module, const CpuTarget &target) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("no-builtins");
    function.addFnAttr("target-cpu", target.llvmCpu);
    if (!target.llvmFeatures.empty())
      function.addFnAttr("target-features", target.llvmFeatures);
    if (module.getTargetTriple().isX86()) {
      // x86-64-v4 prefers 256 bits by default; our kernels are written for 512.
      function.addFnAttr("prefer-vector-width", target.llvmCpu == "x86-64-v4" ? "512" : "256");
      // Else the slots of vectors that registers cannot hold cross cache lines.
      function.addFnAttr("stackrealign");
    }
    function.setDoesNotThrow();
    function.setUWTableKind(llvm::UWTableKind::None);
  }
}

void mlir::halftone::optimize(llvm::Module &module, llvm::TargetMachine &machine, const CpuTarget &target) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopInterleaving = !target.isReference();
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  // No library function is known: a loop stays a loop.
  llvm::TargetLibraryInfoImpl library(module.getTargetTriple());
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
}

/// The functions that use a value, by themselves or in expressions.
static void collectUsers(const llvm::Value &value, llvm::SmallPtrSetImpl<const llvm::Function *> &functions) {
  for (const llvm::User *user : value.users())
    if (auto *instruction = dyn_cast<llvm::Instruction>(user))
      functions.insert(instruction->getFunction());
    else
      collectUsers(*user, functions);
}

void mlir::halftone::openConstants(llvm::Module &module) {
  llvm::StringMap<int> counts;
  for (llvm::GlobalVariable &variable : module.globals()) {
    if (!variable.isConstant() || !variable.hasInitializer() || !variable.getValueType()->isArrayTy())
      continue;
    llvm::SmallPtrSet<const llvm::Function *, 4> users;
    collectUsers(variable, users);
    if (users.size() != 1)
      continue;
    StringRef user = (*users.begin())->getName();
    variable.setName(user + ".constant." + std::to_string(counts[user]++));
    // What is visible outside and no constant has contents that nobody may count on; a section of its own keeps zeros in the file.
    variable.setLinkage(llvm::GlobalValue::ExternalLinkage);
    variable.setVisibility(llvm::GlobalValue::HiddenVisibility);
    variable.setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::None);
    variable.setConstant(false);
    variable.setSection(".data.halftone");
  }
}

/// The bytes of an array of numbers, of any rank; nothing for other constants.
static bool appendContents(const llvm::Constant &constant, SmallVectorImpl<char> &contents) {
  if (auto *data = dyn_cast<llvm::ConstantDataSequential>(&constant)) {
    StringRef bytes = data->getRawDataValues();
    contents.append(bytes.begin(), bytes.end());
    return true;
  }
  auto *rows = dyn_cast<llvm::ConstantArray>(&constant);
  return rows && llvm::all_of(rows->operands(), [&](const llvm::Use &row) { return appendContents(*cast<llvm::Constant>(row), contents); });
}

llvm::StringMap<int64_t> mlir::halftone::shareConstants(llvm::Module &module) {
  constexpr size_t kLeastBytes = 64;
  llvm::StringMap<int64_t> shared;
  for (llvm::GlobalVariable &variable : module.globals()) {
    SmallVector<char> contents;
    if (!variable.isConstant() || !variable.hasLocalLinkage() || variable.hasSection() || !variable.hasInitializer() ||
        !appendContents(*variable.getInitializer(), contents) || contents.size() < kLeastBytes)
      continue;
    llvm::SHA256 hash;
    hash.update(StringRef(contents.data(), contents.size()));
    std::string name = "halftone.constant." + std::to_string(variable.getAlign().valueOrOne().value()) + "." +
                       llvm::toHex(hash.final(), /*LowerCase=*/true);
    if (module.getNamedValue(name))
      continue;
    const bool isOfTable = variable.getName().starts_with("halftone.");
    variable.setName(name);
    variable.setLinkage(llvm::GlobalValue::LinkOnceODRLinkage);
    variable.setVisibility(llvm::GlobalValue::HiddenVisibility);
    variable.setComdat(module.getOrInsertComdat(name));
    if (!isOfTable)
      shared[name] = contents.size();
  }
  return shared;
}

void mlir::halftone::placeConstants(llvm::Module &module) {
  // A library may have four of these modules, for as many instruction sets. Other CPUs' addresses reach 4 GiB.
  constexpr uint64_t kManyBytes = uint64_t(1) << 29, kLargeBytes = 1 << 16;
  auto bytesOf = [&](const llvm::GlobalVariable &variable) -> uint64_t {
    return variable.hasInitializer() ? module.getDataLayout().getTypeAllocSize(variable.getValueType()).getFixedValue() : 0;
  };
  uint64_t total = 0;
  for (const llvm::GlobalVariable &variable : module.globals())
    total += bytesOf(variable);
  if (!module.getTargetTriple().isX86() || total < kManyBytes)
    return;
  for (llvm::GlobalVariable &variable : module.globals())
    if (bytesOf(variable) >= kLargeBytes)
      variable.setCodeModel(llvm::CodeModel::Large);
}

llvm::Error mlir::halftone::emitCode(llvm::Module &module, llvm::TargetMachine &machine, llvm::CodeGenFileType type,
                                     llvm::raw_pwrite_stream &os) {
  llvm::legacy::PassManager passes;
  llvm::TargetLibraryInfoImpl library(module.getTargetTriple());
  library.disableAllFunctions();
  passes.add(new llvm::TargetLibraryInfoWrapperPass(library));
  if (machine.addPassesToEmitFile(passes, os, nullptr, type))
    return llvm::createStringError("LLVM cannot write this kind of file for the target");
  passes.run(module);
  return llvm::Error::success();
}
