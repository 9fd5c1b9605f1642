//===- Compile.cpp - from a module to files ---------------------------------===//
#include "halftone/Target/Compile.h"
#include "Emit.h"
#include "ModelTable.h"
#include "halftone/Data/AtomicFile.h"
#include "halftone-c/Artefact.h"
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

namespace {

/// Objects in the system's folder for temporary files, removed at the end.
class ObjectFiles {
public:
  ~ObjectFiles() {
    for (const std::string &path : paths) {
      llvm::sys::fs::remove(path);
      llvm::sys::DontRemoveFileOnSignal(path);
    }
  }

  llvm::Error add(llvm::Module &module, llvm::TargetMachine &machine) {
    llvm::Expected<std::string> object = makeTemporaryFile("o");
    if (!object)
      return object.takeError();
    paths.push_back(*object);
    std::error_code error;
    llvm::raw_fd_ostream os(*object, error);
    if (error)
      return cannotWrite(*object, error);
    return writeAll(os, *object, [&](llvm::raw_pwrite_stream &stream) {
      llvm::Error error = emitCode(module, machine, llvm::CodeGenFileType::ObjectFile, stream);
      bytes += stream.tell();
      return error;
    });
  }

  llvm::Error link(const CpuTarget &target, StringRef soname, StringRef path) const {
    return writeAtomically(path, [&](StringRef temporary) -> llvm::Error {
      if (std::error_code error = tryToReserve(temporary, bytes))
        return cannotWrite(path, error);
      return linkShared(paths, target, soname, temporary);
    });
  }

private:
  std::vector<std::string> paths;
  uint64_t bytes = 0; ///< of all objects
};

} // namespace

/// The query of an object file has the file's name, so that a program can have several.
static std::string querySymbolOf(StringRef path) {
  std::string symbol = HALFTONE_QUERY_SYMBOL "_";
  for (char c : llvm::sys::path::stem(path))
    symbol += llvm::isAlnum(c) ? c : '_';
  return symbol;
}

/// One target's file.
static llvm::Error writeByExtension(ModuleOp module, const TargetOptions &options, llvm::Module &llvmModule,
                                    llvm::TargetMachine &machine, const CpuTarget &target, StringRef path) {
  StringRef extension = llvm::sys::path::extension(path);
  auto emit = [&](llvm::CodeGenFileType type) {
    return writeText(path, [&](llvm::raw_pwrite_stream &os) { return emitCode(llvmModule, machine, type, os); });
  };
  if (extension == ".so") {
    ObjectFiles objects;
    if (llvm::Error failure = objects.add(llvmModule, machine))
      return failure;
    return objects.link(target, options.name + ".so", path);
  }
  if (extension == ".s")
    return emit(llvm::CodeGenFileType::AssemblyFile);
  if (extension == ".ll")
    return writeText(path, [&](llvm::raw_pwrite_stream &os) {
      llvmModule.print(os, nullptr);
      return llvm::Error::success();
    });
  const std::string query = querySymbolOf(path);
  llvmModule.getFunction(HALFTONE_QUERY_SYMBOL)->setName(query);
  if (llvm::Error failure = emit(llvm::CodeGenFileType::ObjectFile))
    return failure;
  SmallString<128> header(path);
  llvm::sys::path::replace_extension(header, ".h");
  return writeText(header, [&](llvm::raw_pwrite_stream &os) {
    os << makeHeader(module, options, query);
    return llvm::Error::success();
  });
}

static LogicalResult report(ModuleOp module, llvm::Error error) {
  return module.emitError() << llvm::toString(std::move(error));
}

namespace {

/// One target's machine code, before it is written.
struct Variant {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> code;
  llvm::StringMap<int64_t> shared; ///< Of several variants, the constants that another one may have, with their bytes.
};

} // namespace

static FailureOr<Variant> compileVariant(ModuleOp module, const TargetOptions &options, const CpuTarget &target,
                                         VariantPlace place) {
  if (failed(verifySignature(module)))
    return failure();
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(target);
  if (!machine)
    return report(module, machine.takeError());

  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  module.getContext()->appendDialectRegistry(registry);
  Variant variant{std::make_unique<llvm::LLVMContext>(), std::move(*machine), nullptr, {}};
  variant.code = translateModuleToLLVMIR(module, *variant.context, options.name);
  if (!variant.code)
    return module.emitError("cannot be translated to LLVM IR");
  variant.code->setTargetTriple(variant.machine->getTargetTriple());
  variant.code->setDataLayout(variant.machine->createDataLayout());
  if (options.openConstants)
    openConstants(*variant.code);
  addModelTable(module, options, target, place, *variant.code);
  setFunctionAttributes(*variant.code, target);
  optimize(*variant.code, *variant.machine, target);
  if (!place.isOnly())
    variant.shared = shareConstants(*variant.code);
  placeConstants(*variant.code);
  return variant;
}

static LogicalResult checkExtension(ModuleOp module, StringRef path, size_t targets) {
  StringRef extension = llvm::sys::path::extension(path);
  if (!llvm::is_contained({".so", ".o", ".ll", ".s"}, extension))
    return module.emitError() << "cannot tell what to write to '" << path << "': the name ends in .so, .o, .ll or .s";
  if (targets > 1 && extension != ".so")
    return module.emitError() << "code for several CPUs goes into a shared library: give '" << path
                              << "' the ending .so, or name one target";
  return success();
}

LogicalResult mlir::halftone::writeTarget(ModuleOp module, const TargetOptions &options, StringRef path) {
  llvm::Expected<CpuTarget> target = findCpuTarget(options.cpu);
  if (!target)
    return report(module, target.takeError());
  if (failed(checkExtension(module, path, 1)))
    return failure();
  FailureOr<Variant> variant = compileVariant(module, options, *target, {.usesTiles = target->usesTiles()});
  if (failed(variant))
    return failure();
  if (llvm::Error error = writeByExtension(module, options, *variant->code, *variant->machine, *target, path))
    return report(module, std::move(error));
  return success();
}

struct TargetWriter::Objects {
  ObjectFiles files;
  /// For each constant that several objects may have, its bytes and how many sizes have it.
  llvm::StringMap<std::pair<int64_t, unsigned>> constants;
};

TargetWriter::TargetWriter(StringRef path, unsigned numSizes) : path(path), numSizes(numSizes), objects(std::make_unique<Objects>()) {}

TargetWriter::~TargetWriter() = default;

LogicalResult TargetWriter::add(ModuleOp source, const TargetOptions &options, Lowering lower) {
  llvm::Expected<SmallVector<CpuTarget>> targets = findCpuTargets(options.cpu);
  if (!targets)
    return report(source, targets.takeError());
  if (failed(checkExtension(source, path, targets->size())))
    return failure();
  VariantPlace place;
  place.count = targets->size(), place.size = done++, place.numSizes = numSizes;
  place.usesTiles = llvm::any_of(*targets, [](const CpuTarget &target) { return target.usesTiles(); });
  llvm::StringMap<int64_t> constants; // of this size
  for (const CpuTarget &target : *targets) {
    FailureOr<OwningOpRef<ModuleOp>> module = lower(target);
    if (failed(module))
      return failure();
    FailureOr<Variant> variant = compileVariant(**module, options, target, place);
    if (failed(variant))
      return failure();
    llvm::Error error = place.isOnly() ? writeByExtension(**module, options, *variant->code, *variant->machine, target, path)
                                       : objects->files.add(*variant->code, *variant->machine);
    if (error)
      return report(source, std::move(error));
    for (const auto &constant : variant->shared)
      constants[constant.getKey()] = constant.getValue();
    ++place.index;
  }
  for (const auto &constant : constants) {
    auto &[bytes, count] = objects->constants[constant.getKey()];
    bytes = constant.getValue();
    ++count;
  }
  if (place.isOnly() || done < numSizes)
    return success();
  if (llvm::Error error = objects->files.link(targets->front(), options.name + ".so", path))
    return report(source, std::move(error));
  return success();
}

ConstantSizes TargetWriter::constantSizes() const {
  ConstantSizes sizes;
  for (const auto &constant : objects->constants) {
    auto [bytes, count] = constant.getValue();
    sizes.total += bytes;
    sizes.common += count == numSizes ? bytes : 0;
  }
  return sizes;
}
