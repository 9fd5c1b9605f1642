//===- ModelFile.cpp - Reads and writes models at any stage ---------------===//
#include "ModelFile.h"
#include "Command.h"
#include "ReasonGroups.h"
#include "halftone/Data/AtomicFile.h"
#include "halftone/Data/ProblemList.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/ContentHash.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

static constexpr StringLiteral kElidedAttr = "halftone.elided";

//===----------------------------------------------------------------------===//
// Context
//===----------------------------------------------------------------------===//

static void printDiagnostic(Diagnostic &diagnostic) {
  llvm::raw_ostream &os = llvm::errs();
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Error:
    llvm::WithColor::error(os, "halftone");
    break;
  case DiagnosticSeverity::Warning:
    llvm::WithColor::warning(os, "halftone");
    break;
  case DiagnosticSeverity::Note:
    llvm::WithColor::note(os, "halftone");
    break;
  case DiagnosticSeverity::Remark:
    llvm::WithColor::remark(os, "halftone");
    break;
  }
  const std::string place = describeLocation(diagnostic.getLocation());
  os << place << (place.empty() ? "" : ": ") << diagnostic.str() << "\n";
  for (Diagnostic &note : diagnostic.getNotes())
    printDiagnostic(note);
}

CompilerContext::CompilerContext() {
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<HalftoneDialect>();
  context.appendDialectRegistry(registry);
  context.allowUnregisteredDialects(); // Reading a module names what it does not know.
  context.printOpOnDiagnostic(false); // A module as a note helps no user.
  context.getDiagEngine().registerHandler(printDiagnostic);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static bool isBytecode(StringRef bytes) { return bytes.starts_with("ML\xefR"); }

/// Up to 64 bytes from the beginning of a file.
static Expected<std::string> readHead(StringRef path) {
  if (llvm::sys::fs::is_directory(path))
    return userError("'" + path + "' is a folder, not a model");
  if (llvm::sys::fs::exists(path) && !llvm::sys::fs::is_regular_file(path))
    return userError("'" + path + "' is a pipe or a device, and a model is read more than once: write it to a file first");
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (std::error_code code = buffer.getError())
    return userError("cannot read '" + path + "': " + code.message());
  return (*buffer)->getBuffer().take_front(64).str();
}

Expected<FileKind> mlir::halftone::fileKind(StringRef path) {
  Expected<std::string> head = readHead(path);
  if (!head)
    return head.takeError();
  StringRef extension = llvm::sys::path::extension(path);
  if (StringRef(*head).starts_with("\x7f"
                                   "ELF"))
    return FileKind::Artefact;
  if (isBytecode(*head) || extension == ".mlir" ||
      extension == ".mlirbc")
    return FileKind::Module;
  if (extension == ".onnx")
    return FileKind::Onnx;
  return userError(
      "'" + path +
      "' is no model that Halftone knows: give an .onnx file, or MLIR "
      "as .mlir or .mlirbc");
}

static Error checkVersion(ModuleOp module, StringRef path) {
  auto stage = module->getAttrOfType<StringAttr>(kStageAttr);
  if (!stage)
    return Error::success();
  if (!parseStage(stage.getValue()))
    return userError("'" + path + "' was written after the stage '" +
                     stage.getValue() +
                     "', which this version does not know; make it again from "
                     "the source model");
  auto version = module->getAttrOfType<IntegerAttr>(kVersionAttr);
  if (!version || version.getInt() != kStageFileVersion)
    return userError("'" + path + "' has stage file version " +
                     (version ? Twine(version.getInt()) : Twine("(none)")) +
                     ", this program reads version " +
                     Twine(kStageFileVersion) +
                     "; make the file again from the source model");
  if (module->hasAttr(kElidedAttr))
    return userError(
        "'" + path +
        "' was written with --elide-weights and has no weights: it can "
        "be read, not resumed; write it again without that option");
  return Error::success();
}

/// What the module has of dialects that are not MLIR's: named all at once, where the parser would stop at the first.
static Error checkDialects(ModuleOp module, StringRef path) {
  llvm::MapVector<OperationName, unsigned> unknown;
  module.walk([&](Operation *op) {
    if (!op->isRegistered())
      ++unknown[op->getName()];
  });
  ProblemList problems;
  for (auto [name, count] : unknown)
    problems.add(name.getStringRef() + " (" + Twine(count) + ")");
  return problems.take("'" + path + "' has operations of dialects that Halftone does not know; lower them to linalg or TOSA:");
}

/// Sources have no hash of their own: statistics belong to these bytes.
static void setSourceHash(ModuleOp module, StringRef bytes) {
  if (!module->hasAttr(kStageAttr) && !module->hasAttr(kSourceHashAttr))
    module->setAttr(kSourceHashAttr, StringAttr::get(module.getContext(), hashContent(llvm::arrayRefFromStringRef(bytes))));
}

/// Bytes that a resource of this type has, or nothing for types that no stage has as a resource.
static std::optional<int64_t> resourceBytes(ShapedType type) {
  Type element = type.getElementType();
  if (!type.hasStaticShape() || !element.isIntOrFloat())
    return std::nullopt;
  return type.getNumElements() * static_cast<int64_t>(llvm::divideCeil(element.getIntOrFloatBitWidth(), 8));
}

/// Names of the constants whose contents are not there, or not as many as their types say: MLIR's parser does not look.
static Error checkResources(ModuleOp module, StringRef path) {
  llvm::MapVector<StringRef, std::string> wrong;
  AttrTypeWalker walker;
  walker.addWalk([&](DenseResourceElementsAttr resource) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    std::optional<int64_t> needed = resourceBytes(resource.getType());
    if (blob && needed && static_cast<int64_t>(blob->getData().size()) == *needed)
      return;
    std::string has = blob ? "has " + std::to_string(blob->getData().size()) + " bytes" : "is not there";
    wrong[resource.getRawHandle().getKey()] = has + (needed ? ", its type needs " + std::to_string(*needed) : "");
  });
  module->walk([&](Operation *op) { walker.walk(op->getAttrDictionary()); });
  ProblemList problems;
  for (const auto &[name, problem] : wrong)
    problems.add("'" + name + "' " + problem);
  return problems.take("'" + path + "' is damaged: contents of constants do not fit; make it again from the source model");
}

/// What a user can do about the parser's first error, if the file is not merely damaged.
static std::string wayOut(StringRef message, bool isBytecode) {
  if (isBytecode)
    return "bytecode of another version of MLIR may not read: if the file is whole, have it written as text";
  if (message.contains("' not found for custom op"))
    return "lower operations of dialects that are not MLIR's to linalg or TOSA (docs/MLIR.md)";
  return "";
}

/// The module of the sources. Of what the parser reports only the first error is shown: others follow from it, and its notes list what this program has.
static OwningOpRef<ModuleOp> parseModule(const std::shared_ptr<llvm::SourceMgr> &sources, bool isBytecode, MLIRContext *context) {
  bool isFirst = true;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
      return failure(); // what no handler takes goes to the one of the context
    std::string hint = wayOut(diagnostic.str(), isBytecode);
    if (!isFirst || hint.empty())
      return success(!std::exchange(isFirst, false));
    isFirst = false;
    Diagnostic shown(diagnostic.getLocation(), DiagnosticSeverity::Error);
    shown << StringRef(diagnostic.str()).trim();
    if (isBytecode)
      for (const Diagnostic &note : diagnostic.getNotes()) // which version it is of
        shown << ", " << note.str();
    shown << "; " << hint;
    printDiagnostic(shown);
    return success();
  });
  return parseSourceFile<ModuleOp>(sources, ParserConfig(context));
}

Expected<OwningOpRef<ModuleOp>>
mlir::halftone::readModule(StringRef path, MLIRContext *context) {
  // Bytecode needs its weights aligned, which small files are not unless asked for.
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/true,
                                            /*IsVolatile=*/false, llvm::Align(64));
  if (std::error_code code = buffer.getError())
    return userError("cannot read '" + path + "': " + code.message());
  auto sources = std::make_shared<llvm::SourceMgr>();
  StringRef bytes = (*buffer)->getBuffer();
  sources->AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> module = parseModule(sources, isBytecode(bytes), context);
  if (!module)
    return llvm::make_error<Reported>();
  if (Error error = checkDialects(*module, path))
    return std::move(error);
  if (Error error = checkVersion(*module, path))
    return std::move(error);
  if (Error error = checkResources(*module, path))
    return std::move(error);
  setSourceHash(*module, bytes);
  return module;
}

std::optional<Stage> mlir::halftone::stageOf(ModuleOp module) {
  if (auto stage = module->getAttrOfType<StringAttr>(kStageAttr))
    return parseStage(stage.getValue());
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

void mlir::halftone::setStage(ModuleOp module, Stage stage) {
  Builder builder(module.getContext());
  module->setAttr(kStageAttr, builder.getStringAttr(stageName(stage)));
  module->setAttr(kVersionAttr, builder.getI64IntegerAttr(kStageFileVersion));
}

static Error printModule(ModuleOp module, llvm::raw_ostream &os,
                         bool bytecode) {
  if (!bytecode) {
    module->print(os, OpPrintingFlags().enableDebugInfo(true, false));
    os << "\n";
    return Error::success();
  }
  BytecodeWriterConfig config("Halftone");
  if (failed(writeBytecodeToFile(module, os, config)))
    return userError("the module cannot be written as bytecode");
  return Error::success();
}

static Error printElided(ModuleOp module, llvm::raw_ostream &os) {
  OwningOpRef<ModuleOp> copy = module.clone();
  (*copy)->setAttr(kElidedAttr, UnitAttr::get(module.getContext()));
  OpPrintingFlags flags;
  flags.elideLargeElementsAttrs(16).elideLargeResourceString(64);
  os << "// Written with --elide-weights: for reading only, it cannot be "
        "resumed.\n";
  copy->print(os, flags);
  os << "\n";
  return Error::success();
}

Error mlir::halftone::writeModule(ModuleOp module, StringRef path,
                                  bool elideWeights) {
  bool bytecode = llvm::sys::path::extension(path) == ".mlirbc";
  if (Error error = checkWritable(path))
    return error;
  auto print = [&](llvm::raw_ostream &os) {
    return elideWeights ? printElided(module, os)
                        : printModule(module, os, bytecode);
  };
  return path == "-" ? print(llvm::outs()) : writeFileAtomically(path, print);
}

Error mlir::halftone::checkWritable(StringRef path) {
  if (path == "-")
    return Error::success();
  StringRef folder = llvm::sys::path::parent_path(path);
  if (folder.empty())
    folder = ".";
  if (!llvm::sys::fs::is_directory(folder))
    return userError("cannot write '" + path + "': there is no folder '" +
                     folder + "'; make it, or give another -o");
  if (llvm::sys::fs::is_directory(path))
    return userError("cannot write '" + path +
                     "': it is a folder; give a file name to -o");
  auto probe = llvm::sys::fs::TempFile::create(path + ".probe-%%%%%%");
  if (!probe) {
    std::string reason = llvm::toString(probe.takeError());
    return userError("cannot write into the folder '" + folder +
                     "': " + reason + "; give another -o");
  }
  return probe->discard();
}
