//===- Compile.cpp - from a module to files ---------------------------------===//
#include "halftone/Target/Compile.h"
#include "Emit.h"
#include "ModelTable.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include <fcntl.h>
#include <unistd.h>

using namespace mlir;
using namespace mlir::halftone;

/// Writes to an open stream and closes it; what the system refused (a full disk) is the error.
static llvm::Error writeAll(llvm::raw_fd_ostream &os, StringRef path,
                            function_ref<llvm::Error(llvm::raw_pwrite_stream &)> write) {
  llvm::Error failure = write(os);
  os.close();
  std::error_code error = os.error();
  os.clear_error();
  if (failure || !error)
    return failure;
  return cannotWrite(path, error);
}

static llvm::Error writeText(StringRef path, function_ref<llvm::Error(llvm::raw_pwrite_stream &)> write) {
  return writeAtomically(path, [&](StringRef temporary) -> llvm::Error {
    std::error_code error;
    llvm::raw_fd_ostream os(temporary, error);
    if (error)
      return cannotWrite(path, error);
    return writeAll(os, path, write);
  });
}

/// Whether a file of about this size fits: lld does not report a full disk well.
static std::error_code tryToReserve(StringRef path, uint64_t bytes) {
  int descriptor = -1;
  if (std::error_code error = llvm::sys::fs::openFileForWrite(path, descriptor, llvm::sys::fs::CD_OpenAlways))
    return error;
  int failure = posix_fallocate(descriptor, 0, static_cast<off_t>(bytes));
  if (ftruncate(descriptor, 0) != 0 && !failure)
    failure = errno;
  llvm::sys::fs::file_t file = llvm::sys::fs::convertFDToNativeFile(descriptor);
  llvm::sys::fs::closeFile(file);
  return std::error_code(failure, std::generic_category());
}

static llvm::Error writeLibrary(llvm::Module &module, llvm::TargetMachine &machine, StringRef soname, StringRef path) {
  SmallString<128> object;
  int descriptor;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("halftone", "o", descriptor, object))
    return llvm::createStringError(error, "cannot make a temporary file: " + error.message());
  llvm::sys::RemoveFileOnSignal(object);
  llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
  uint64_t objectBytes = 0;
  llvm::Error failure = writeAll(os, object, [&](llvm::raw_pwrite_stream &stream) {
    llvm::Error error = emitCode(module, machine, llvm::CodeGenFileType::ObjectFile, stream);
    objectBytes = stream.tell();
    return error;
  });
  if (!failure)
    failure = writeAtomically(path, [&](StringRef temporary) -> llvm::Error {
      if (std::error_code error = tryToReserve(temporary, objectBytes))
        return cannotWrite(path, error);
      return linkShared(object, soname, temporary);
    });
  llvm::sys::fs::remove(object);
  llvm::sys::DontRemoveFileOnSignal(object);
  return failure;
}

static llvm::Error writeByExtension(ModuleOp module, const TargetOptions &options, llvm::Module &llvmModule,
                                    llvm::TargetMachine &machine, StringRef path) {
  StringRef extension = llvm::sys::path::extension(path);
  auto emit = [&](llvm::CodeGenFileType type) {
    return writeText(path, [&](llvm::raw_pwrite_stream &os) { return emitCode(llvmModule, machine, type, os); });
  };
  if (extension == ".so")
    return writeLibrary(llvmModule, machine, options.name + ".so", path);
  if (extension == ".s")
    return emit(llvm::CodeGenFileType::AssemblyFile);
  if (extension == ".ll")
    return writeText(path, [&](llvm::raw_pwrite_stream &os) {
      llvmModule.print(os, nullptr);
      return llvm::Error::success();
    });
  if (llvm::Error failure = emit(llvm::CodeGenFileType::ObjectFile))
    return failure;
  SmallString<128> header(path);
  llvm::sys::path::replace_extension(header, ".h");
  return writeText(header, [&](llvm::raw_pwrite_stream &os) {
    os << makeHeader(module, options);
    return llvm::Error::success();
  });
}

static LogicalResult report(ModuleOp module, llvm::Error error) {
  return module.emitError() << llvm::toString(std::move(error));
}

LogicalResult mlir::halftone::writeTarget(ModuleOp module, const TargetOptions &options, StringRef path) {
  if (!llvm::is_contained({".so", ".o", ".ll", ".s"}, llvm::sys::path::extension(path)))
    return module.emitError() << "cannot tell what to write to '" << path << "': the name ends in .so, .o, .ll or .s";
  if (failed(verifySignature(module)))
    return failure();
  llvm::Expected<CpuTarget> target = findCpuTarget(options.cpu);
  if (!target)
    return report(module, target.takeError());
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(*target);
  if (!machine)
    return report(module, machine.takeError());

  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  module.getContext()->appendDialectRegistry(registry);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule = translateModuleToLLVMIR(module, context, options.name);
  if (!llvmModule)
    return module.emitError("cannot be translated to LLVM IR");
  llvmModule->setTargetTriple((*machine)->getTargetTriple());
  llvmModule->setDataLayout((*machine)->createDataLayout());
  addModelTable(module, options, *target, *llvmModule);
  setFunctionAttributes(*llvmModule, *target);
  optimize(*llvmModule, **machine, *target);
  if (llvm::Error error = writeByExtension(module, options, *llvmModule, **machine, path))
    return report(module, std::move(error));
  return success();
}
