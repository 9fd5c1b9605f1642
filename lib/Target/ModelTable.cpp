//===- ModelTable.cpp - the table that an artefact exports ------------------===//
//
// Mirrors the structs of include/halftone-c/Artefact.h, field by field, as LLVM constants.
//
//===----------------------------------------------------------------------===//
#include "ModelTable.h"
#include "halftone-c/Artefact.h"
#include "halftone/Codegen/CostTable.h"
#include "halftone/Codegen/Entry.h"
#include "halftone/Codegen/LayerInfo.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// One entry of halftone.inputs or halftone.outputs.
struct TensorEntry {
  StringRef name, preprocess;
  ShapedType type;
};

} // namespace

static SmallVector<TensorEntry> readEntries(ModuleOp module, StringRef attribute) {
  SmallVector<TensorEntry> entries;
  for (Attribute entry : module->getAttrOfType<ArrayAttr>(attribute)) {
    auto fields = cast<DictionaryAttr>(entry);
    entries.push_back({fields.getAs<StringAttr>("name").getValue(), fields.getAs<StringAttr>("preprocess").getValue(),
                       cast<ShapedType>(fields.getAs<TypeAttr>("type").getValue())});
  }
  return entries;
}

/// The table's code for an element type, or nothing. Signless i8 is signed; u8 is `ui8`.
static std::optional<HalftoneElementType> elementCode(Type type) {
  if (type.isF32())
    return HALFTONE_F32;
  if (type.isInteger(1))
    return HALFTONE_BOOL;
  if (type.isUnsignedInteger(8))
    return HALFTONE_U8;
  if (type.isInteger(8))
    return HALFTONE_I8;
  if (type.isInteger(32))
    return HALFTONE_I32;
  if (type.isInteger(64))
    return HALFTONE_I64;
  return std::nullopt;
}

static StringRef elementName(Type type) {
  static constexpr StringLiteral kNames[] = {"", "float", "int8_t", "uint8_t", "int32_t", "int64_t", "uint8_t (0 or 1)"};
  std::optional<HalftoneElementType> code = elementCode(type);
  return kNames[code ? *code : 0];
}

namespace {

/// Makes the constants of the table in one LLVM module.
class TableBuilder {
public:
  TableBuilder(llvm::Module &module)
      : module(module), context(module.getContext()), pointer(llvm::PointerType::get(context, 0)) {}

  llvm::Constant *integer(unsigned bits, int64_t value) {
    return llvm::ConstantInt::get(llvm::IntegerType::get(context, bits), value, /*IsSigned=*/true);
  }

  llvm::Constant *text(StringRef value) {
    return global(llvm::ConstantDataArray::getString(context, value, /*AddNull=*/true), "text", 1);
  }

  llvm::GlobalVariable *global(llvm::Constant *value, StringRef name, uint64_t alignment) {
    auto *variable = new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                              llvm::GlobalValue::PrivateLinkage, value, "halftone." + name);
    variable->setAlignment(llvm::Align(alignment));
    return variable;
  }

  /// An array of HalftoneTensorInfo, or null for none.
  llvm::Constant *tensors(ArrayRef<TensorEntry> entries) {
    SmallVector<llvm::Constant *> infos;
    for (const TensorEntry &entry : entries) {
      SmallVector<int64_t> shape;
      for (int64_t extent : entry.type.getShape())
        shape.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
      SmallVector<uint64_t> bits(shape.begin(), shape.end());
      llvm::Constant *extents = llvm::ConstantPointerNull::get(pointer);
      if (!bits.empty())
        extents = global(llvm::ConstantDataArray::get(context, bits), "shape", 8);
      infos.push_back(llvm::ConstantStruct::getAnon(
          {text(entry.name), extents, integer(32, entry.type.getRank()),
           integer(32, *elementCode(entry.type.getElementType())), text(entry.preprocess)}));
    }
    if (infos.empty())
      return llvm::ConstantPointerNull::get(pointer);
    auto *array = llvm::ArrayType::get(infos.front()->getType(), infos.size());
    return global(llvm::ConstantArray::get(array, infos), "tensors", 8);
  }

  llvm::Constant *functionOrNull(StringRef name) {
    llvm::Function *function = module.getFunction(name);
    return function ? static_cast<llvm::Constant *>(function) : llvm::ConstantPointerNull::get(pointer);
  }

  /// An array of HalftoneLayerInfo, or null for none.
  llvm::Constant *layers(ArrayRef<LayerInfo> list) {
    SmallVector<llvm::Constant *> infos;
    for (const LayerInfo &layer : list)
      infos.push_back(llvm::ConstantStruct::getAnon(
          {text(layer.name), text(layer.kind), text(layer.kernel), text(layer.shapes), module.getFunction(layer.body),
           integer(32, layer.perSample), integer(32, layer.calls), integer(64, layer.multiplyAccumulates),
           integer(64, layer.readBytes), integer(64, layer.writtenBytes), integer(64, layer.constantBytes), text(layer.cost)}));
    if (infos.empty())
      return llvm::ConstantPointerNull::get(pointer);
    auto *array = llvm::ArrayType::get(infos.front()->getType(), infos.size());
    return global(llvm::ConstantArray::get(array, infos), "layers", 8);
  }

  /// Asks Linux for the state of AMX tiles, without which their first use is an illegal instruction. The runtime asks
  /// again, to see the answer.
  void requestTiles(llvm::IRBuilder<> &ir) {
    constexpr int64_t archPrctl = 158, requestPermission = 0x1023, tileData = 18;
    llvm::Type *word = ir.getInt64Ty();
    auto *type = llvm::FunctionType::get(word, {word, word, word}, false);
    auto *call = llvm::InlineAsm::get(type, "syscall", "={rax},{rax},{rdi},{rsi},~{rcx},~{r11},~{memory}", true);
    ir.CreateCall(type, call, {ir.getInt64(archPrctl), ir.getInt64(requestPermission), ir.getInt64(tileData)});
  }

  /// An array of the tables at these places of the library, one in each of its objects; null for a single one.
  llvm::Constant *tables(ArrayRef<VariantPlace> places) {
    if (places.size() == 1)
      return llvm::ConstantPointerNull::get(pointer);
    SmallVector<llvm::Constant *> tables;
    for (const VariantPlace &place : places) {
      llvm::GlobalVariable *table = module.getGlobalVariable(tableName(place));
      if (!table) {
        table = new llvm::GlobalVariable(module, llvm::IntegerType::get(context, 8), /*isConstant=*/true, llvm::GlobalValue::ExternalLinkage,
                                         nullptr, tableName(place));
        table->setVisibility(llvm::GlobalValue::HiddenVisibility);
      }
      tables.push_back(table);
    }
    auto *array = llvm::ArrayType::get(pointer, tables.size());
    return global(llvm::ConstantArray::get(array, tables), "tables", 8);
  }

  /// Gives the table its symbol, and lets what referred to it as another object's refer to it.
  void nameTable(llvm::GlobalVariable *table, const VariantPlace &place) {
    if (place.isOnly())
      return;
    if (llvm::GlobalVariable *declared = module.getGlobalVariable(tableName(place))) {
      declared->replaceAllUsesWith(table);
      declared->eraseFromParent();
    }
    table->setName(tableName(place));
    table->setLinkage(llvm::GlobalValue::ExternalLinkage);
    table->setVisibility(llvm::GlobalValue::HiddenVisibility);
  }

  /// A hidden symbol.
  static std::string tableName(const VariantPlace &place) {
    return "halftone.variant." + std::to_string(place.index) + (place.size ? "." + std::to_string(place.size) : "");
  }

  /// halftone_query: returns the table.
  void query(llvm::Constant *table, bool usesTiles) {
    auto *type = llvm::FunctionType::get(pointer, false);
    auto *function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, HALFTONE_QUERY_SYMBOL, module);
    llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "", function));
    if (usesTiles)
      requestTiles(builder);
    builder.CreateRet(table);
  }

  /// The note: sizes of name and descriptor, type, name and descriptor, each padded to 4 bytes.
  void note(StringRef cpuFeatures) {
    std::string bytes;
    auto word = [&](uint32_t value) { bytes.append(reinterpret_cast<const char *>(&value), sizeof value); };
    auto align = [&] { bytes.resize(llvm::alignTo(bytes.size(), 4)); };
    StringRef name = HALFTONE_NOTE_NAME;
    word(name.size() + 1);
    word(llvm::alignTo(2 * sizeof(uint32_t) + cpuFeatures.size() + 1, 4));
    word(HALFTONE_NOTE_TYPE);
    bytes.append(name.begin(), name.end());
    bytes.push_back('\0');
    align();
    word(HALFTONE_ABI_VERSION);
    word(0);
    bytes.append(cpuFeatures.begin(), cpuFeatures.end());
    bytes.push_back('\0');
    align();
    llvm::GlobalVariable *variable =
        global(llvm::ConstantDataArray::getString(context, bytes, /*AddNull=*/false), "note", 4);
    variable->setSection(HALFTONE_NOTE_SECTION);
    llvm::appendToUsed(module, {variable});
  }

private:
  llvm::Module &module;
  llvm::LLVMContext &context;
  llvm::PointerType *pointer;
};

} // namespace

/// Constants of equal contents count once: they are one in the file, as the recurrent weights that each step reads.
static int64_t constantBytes(llvm::Module &module) {
  llvm::SmallPtrSet<const llvm::Constant *, 32> contents;
  int64_t bytes = 0;
  for (llvm::GlobalVariable &variable : module.globals())
    if (variable.isConstant() && (!variable.hasInitializer() || contents.insert(variable.getInitializer()).second))
      bytes += module.getDataLayout().getTypeAllocSize(variable.getValueType());
  return bytes;
}

/// The tables of the first size for all instruction sets.
static SmallVector<VariantPlace> placesOfVariants(const VariantPlace &place) {
  SmallVector<VariantPlace> places(place.count);
  for (auto [index, variant] : llvm::enumerate(places))
    variant.index = index;
  return places;
}

/// The tables of all sizes for one instruction set, which that of the first has.
static SmallVector<VariantPlace> placesOfSizes(const VariantPlace &place) {
  SmallVector<VariantPlace> places(place.size ? 1 : place.numSizes, place);
  for (auto [index, size] : llvm::enumerate(places))
    size.size = index;
  return places;
}

LogicalResult mlir::halftone::verifySignature(ModuleOp module) {
  if (!module->hasAttr(kInputsAttr) || !module->hasAttr(kOutputsAttr) || !module->hasAttr(kBatchAttr) ||
      !module->hasAttr(kWorkspaceAttr) || !module.lookupSymbol<LLVM::LLVMFuncOp>(kRunName))
    return module.emitError("is not the output of the target pipeline: it has no recorded signature or no @")
           << kRunName;
  for (const LayerInfo &layer : readLayers(module))
    if (!module.lookupSymbol<LLVM::LLVMFuncOp>(layer.body))
      return module.emitError() << "lists the layer '" << layer.name << "' without its function @" << layer.body;
  for (StringRef attribute : {StringRef(kInputsAttr), StringRef(kOutputsAttr)})
    for (const TensorEntry &entry : readEntries(module, attribute))
      if (!elementCode(entry.type.getElementType()))
        return module.emitError() << "'" << entry.name << "' has element type " << entry.type.getElementType()
                                  << "; an artefact takes f32, i8, u8, i32, i64 and bool";
  return success();
}

void mlir::halftone::addModelTable(ModuleOp module, const TargetOptions &options, const CpuTarget &target,
                                   VariantPlace place, llvm::Module &llvmModule) {
  int64_t bytes = constantBytes(llvmModule);
  auto hash = module->getAttrOfType<StringAttr>(kSourceHashAttr);
  auto batch = module->getAttrOfType<DenseI64ArrayAttr>(kBatchAttr);
  auto samples = module->getAttrOfType<IntegerAttr>(kSampleCallsAttr);
  SmallVector<TensorEntry> inputs = readEntries(module, kInputsAttr), outputs = readEntries(module, kOutputsAttr);

  SmallVector<LayerInfo> layers = readLayers(module);
  SmallVector<VariantPlace> variants = placesOfVariants(place), sizes = placesOfSizes(place);
  auto countOf = [](ArrayRef<VariantPlace> places) { return places.size() == 1 ? 0 : places.size(); };
  TableBuilder builder(llvmModule);
  llvm::Constant *table = llvm::ConstantStruct::getAnon(
      {builder.integer(32, HALFTONE_ABI_VERSION), builder.integer(32, sizeof(HalftoneModel)),
       builder.text(options.name), builder.text(target.name), builder.text(target.cpuFeatures),
       builder.text(hash ? hash.getValue() : ""), builder.text(options.compilerVersion), builder.text(options.report),
       builder.integer(32, inputs.size()), builder.integer(32, outputs.size()), builder.tensors(inputs),
       builder.tensors(outputs), builder.integer(64, batch[0]), builder.integer(64, batch[1]),
       builder.integer(64, module->getAttrOfType<IntegerAttr>(kWorkspaceAttr).getInt()),
       builder.integer(64, HALFTONE_ALIGNMENT), builder.integer(64, bytes), llvmModule.getFunction(kRunName),
       builder.integer(32, layers.size()), builder.integer(32, sizeof(HalftoneLayerInfo)), builder.layers(layers),
       builder.integer(32, countOf(variants)), builder.integer(32, 0), builder.tables(variants),
       builder.text(costTableId(module)), builder.integer(64, samples ? samples.getInt() : 0), builder.functionOrNull(kRunSampleName),
       builder.integer(32, countOf(sizes)), builder.integer(32, 0), builder.tables(sizes), builder.text(options.size)});
  llvm::GlobalVariable *model = builder.global(table, "model", 8);
  builder.nameTable(model, place);
  if (place.isQueried())
    builder.query(model, place.usesTiles);
  if (place.size == 0)
    builder.note(target.cpuFeatures);
}

std::string mlir::halftone::makeHeader(ModuleOp module, const TargetOptions &options, StringRef query) {
  std::string text;
  llvm::raw_string_ostream os(text);
  auto list = [&](StringRef what, StringRef attribute) {
    for (auto [i, entry] : llvm::enumerate(readEntries(module, attribute))) {
      os << " * " << what << " " << i << ": " << elementName(entry.type.getElementType()) << " [";
      llvm::interleaveComma(entry.type.getShape(), os, [&](int64_t extent) {
        ShapedType::isDynamic(extent) ? (void)(os << "batch") : (void)(os << extent);
      });
      os << "] " << llvm::join(llvm::split(entry.name, "*/"), "* /") << "\n";
    }
  };
  os << "/* " << options.name << ": a model compiled by Halftone. Link the object file beside this header.\n *\n";
  list("input", kInputsAttr);
  list("output", kOutputsAttr);
  os << " */\n#include \"halftone-c/Artefact.h\"\n\n#ifdef __cplusplus\nextern \"C\"\n#endif\nconst HalftoneModel *" << query << "(void);\n";
  return text;
}
