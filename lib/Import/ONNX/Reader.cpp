//===- Reader.cpp - ONNX files and their tensors ----------------------------===//
#include "Reader.h"
#include "Operators.h"
#include "SortNodes.h"
#include "halftone/Support/Half.h"
#include "halftone/Support/ContentHash.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"
#include <google/protobuf/stubs/logging.h>
#include <cstring>
#include <map>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

bool importer::isHalfPrecision(int64_t onnxType) { return onnxType == onnx::TensorProto::FLOAT16 || onnxType == onnx::TensorProto::BFLOAT16; }

Type importer::elementType(MLIRContext *context, int64_t onnxType) {
  switch (onnxType) {
  case onnx::TensorProto::FLOAT:
  case onnx::TensorProto::FLOAT16: // computed in f32
  case onnx::TensorProto::BFLOAT16:
    return Float32Type::get(context);
  case onnx::TensorProto::DOUBLE:
    return Float64Type::get(context);
  case onnx::TensorProto::INT64:
    return IntegerType::get(context, 64);
  case onnx::TensorProto::INT32:
    return IntegerType::get(context, 32);
  case onnx::TensorProto::INT8:
    return IntegerType::get(context, 8);
  case onnx::TensorProto::UINT8:
    return IntegerType::get(context, 8, IntegerType::Unsigned);
  case onnx::TensorProto::BOOL:
    return IntegerType::get(context, 1);
  default:
    return {};
  }
}

Type importer::runtimeType(Type element) { return element && element.isF64() ? Float32Type::get(element.getContext()) : element; }

Type importer::storedType(MLIRContext *context, int64_t onnxType) {
  // Numbers of the format, which older headers do not name.
  constexpr int64_t kFloat8E4M3FN = 17, kFloat8E4M3FNUZ = 18, kFloat8E5M2 = 19, kFloat8E5M2FNUZ = 20, kUint4 = 21, kInt4 = 22, kFloat4E2M1 = 23;
  switch (onnxType) {
  case onnx::TensorProto::INT16:
    return IntegerType::get(context, 16);
  case onnx::TensorProto::UINT16:
    return IntegerType::get(context, 16, IntegerType::Unsigned);
  case kFloat8E4M3FN:
    return Float8E4M3FNType::get(context);
  case kFloat8E4M3FNUZ:
    return Float8E4M3FNUZType::get(context);
  case kFloat8E5M2:
    return Float8E5M2Type::get(context);
  case kFloat8E5M2FNUZ:
    return Float8E5M2FNUZType::get(context);
  case kFloat4E2M1:
    return Float4E2M1FNType::get(context);
  case kInt4:
    return IntegerType::get(context, 4);
  case kUint4:
    return IntegerType::get(context, 4, IntegerType::Unsigned);
  default:
    return elementType(context, onnxType);
  }
}

template <typename To, typename List>
static std::string pack(const List &list) {
  std::string bytes(list.size() * sizeof(To), '\0');
  for (int i = 0; i < list.size(); ++i) {
    To element = static_cast<To>(list.Get(i));
    std::memcpy(&bytes[i * sizeof(To)], &element, sizeof(To));
  }
  return bytes;
}

/// The elements, from raw_data or the typed fields.
static std::string readBytes(const onnx::TensorProto &proto) {
  if (proto.has_raw_data())
    return proto.raw_data();
  switch (proto.data_type()) {
  case onnx::TensorProto::FLOAT:
    return pack<float>(proto.float_data());
  case onnx::TensorProto::DOUBLE:
    return pack<double>(proto.double_data());
  case onnx::TensorProto::INT64:
    return pack<int64_t>(proto.int64_data());
  case onnx::TensorProto::INT32:
    return pack<int32_t>(proto.int32_data());
  case onnx::TensorProto::INT16:
  case onnx::TensorProto::UINT16:
  case onnx::TensorProto::FLOAT16:
  case onnx::TensorProto::BFLOAT16:
    return pack<uint16_t>(proto.int32_data());
  default:
    return pack<uint8_t>(proto.int32_data());
  }
}

/// What has 4 bits, two in a byte, the first one in the lower half, as a byte each.
static std::string unpackNibbles(const std::string &packed, int64_t count, bool isUnsigned) {
  std::string bytes;
  for (int64_t i = 0; i < count && i / 2 < static_cast<int64_t>(packed.size()); ++i) {
    int nibble = packed[i / 2] >> (i % 2 * 4) & 15;
    bytes.push_back(static_cast<char>(isUnsigned || nibble < 8 ? nibble : nibble - 16));
  }
  return bytes;
}

/// Numbers in half precision as f32, which has all of them.
static std::string widenHalves(const std::string &halves, bool isBrain) {
  std::string bytes(halves.size() / 2 * sizeof(float), '\0');
  for (size_t i = 0; i < halves.size() / 2; ++i) {
    uint16_t half;
    std::memcpy(&half, &halves[2 * i], sizeof(half));
    float value = isBrain ? llvm::bit_cast<float>(static_cast<uint32_t>(half) << 16) : widenHalf(half);
    std::memcpy(&bytes[i * sizeof(float)], &value, sizeof(float));
  }
  return bytes;
}

std::optional<HostTensor> importer::readTensor(MLIRContext *context, const onnx::TensorProto &proto,
                                                     std::string &error) {
  HostTensor tensor;
  tensor.element = storedType(context, proto.data_type());
  if (!tensor.element) {
    std::string name = onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(proto.data_type()));
    error = "element type " + (name.empty() ? "number " + std::to_string(proto.data_type()) : name);
    return std::nullopt;
  }
  tensor.name = proto.name();
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());
  int64_t bytes = elementBytes(tensor.element);
  for (int64_t size : tensor.shape)
    if (size < 0 || llvm::MulOverflow(bytes, size, bytes)) {
      error = "a shape that no tensor can have";
      return std::nullopt;
    }
  tensor.bytes = readBytes(proto);
  if (tensor.element.getIntOrFloatBitWidth() == 4)
    tensor.bytes = unpackNibbles(tensor.bytes, bytes, !tensor.element.isSignlessInteger());
  if (isHalfPrecision(proto.data_type()))
    tensor.bytes = widenHalves(tensor.bytes, proto.data_type() == onnx::TensorProto::BFLOAT16);
  if (static_cast<int64_t>(tensor.bytes.size()) != bytes) {
    error = llvm::formatv("{0} bytes of data, where its shape needs {1}", tensor.bytes.size(), bytes).str();
    return std::nullopt;
  }
  return tensor;
}

//===----------------------------------------------------------------------===//
// External data
//===----------------------------------------------------------------------===//

namespace {
/// Where an external tensor's bytes are.
struct ExternalRange {
  std::string location;
  int64_t offset = 0;
  int64_t length = -1; ///< -1: to the end of the file
};

/// Reads ranges of files beside the model; each file is opened once.
class ExternalFiles {
public:
  explicit ExternalFiles(StringRef modelPath) : folder(llvm::sys::path::parent_path(modelPath)) {}

  /// Appends the range to `bytes`; else says why not.
  std::string read(const ExternalRange &range, std::string &bytes);

private:
  std::string folder;
  std::map<std::string, std::unique_ptr<llvm::MemoryBuffer>> files;
};
} // namespace

std::string ExternalFiles::read(const ExternalRange &range, std::string &bytes) {
  bool leaves = llvm::is_contained(llvm::make_range(llvm::sys::path::begin(range.location),
                                                    llvm::sys::path::end(range.location)),
                                   StringRef(".."));
  if (range.location.empty() || llvm::sys::path::is_absolute(range.location) || leaves)
    return "'" + range.location + "' is not a path inside the model's folder";
  auto found = files.find(range.location);
  if (found == files.end()) {
    SmallString<128> path(folder);
    llvm::sys::path::append(path, range.location);
    auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
    if (!buffer)
      return "can't open '" + path.str().str() + "': " + buffer.getError().message();
    found = files.emplace(range.location, std::move(*buffer)).first;
  }
  StringRef data = found->second->getBuffer();
  int64_t size = data.size(), length = range.length < 0 ? size - range.offset : range.length;
  if (range.offset < 0 || range.offset > size || length < 0 || length > size - range.offset)
    return llvm::formatv("'{0}' has {1} bytes, bytes {2} to {3} are asked for", range.location, size, range.offset,
                         range.offset + length)
        .str();
  bytes = data.substr(range.offset, length).str();
  return "";
}

static ExternalRange readRange(const onnx::TensorProto &tensor) {
  ExternalRange range;
  for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
    if (entry.key() == "location")
      range.location = entry.value();
    else if (entry.key() == "offset" && StringRef(entry.value()).getAsInteger(10, range.offset))
      range.offset = -1;
    else if (entry.key() == "length" && StringRef(entry.value()).getAsInteger(10, range.length))
      range.offset = -1;
  }
  return range;
}

static void appendDigest(StringRef bytes, std::vector<uint8_t> &digests) {
  llvm::XXH128_hash_t hash = llvm::xxh3_128bits(llvm::arrayRefFromStringRef(bytes));
  const auto *begin = reinterpret_cast<const uint8_t *>(&hash);
  digests.insert(digests.end(), begin, begin + sizeof(hash));
}

/// Moves external data into the initializers and adds it to the hash; on failure all tensors that lack theirs are named.
static LogicalResult loadExternalData(ModelFile &file, Location loc, std::vector<uint8_t> &digests) {
  ExternalFiles files(file.path);
  std::string missing;
  for (onnx::TensorProto &tensor : *file.model.mutable_graph()->mutable_initializer()) {
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL)
      continue;
    std::string bytes, problem = files.read(readRange(tensor), bytes);
    if (!problem.empty()) {
      missing += "\n  " + tensor.name() + ": " + problem;
      continue;
    }
    appendDigest(bytes, digests);
    file.externalBytes += bytes.size();
    tensor.set_raw_data(std::move(bytes));
    tensor.clear_external_data();
    tensor.set_data_location(onnx::TensorProto::DEFAULT);
  }
  if (missing.empty())
    return success();
  return emitError(loc) << "'" << file.path << "' has tensors whose external data is not there:" << missing;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

std::unique_ptr<ModelFile> importer::readModelFile(StringRef path, MLIRContext *context) {
  Location loc = UnknownLoc::get(context);
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer) {
    emitError(loc) << "can't open '" << path << "': " << buffer.getError().message();
    return nullptr;
  }
  StringRef bytes = (*buffer)->getBuffer();
  auto file = std::make_unique<ModelFile>();
  file->path = path.str();
  google::protobuf::LogSilencer silencer;
  if (bytes.size() > static_cast<size_t>(INT32_MAX) || !file->model.ParseFromArray(bytes.data(), bytes.size())) {
    emitError(loc) << "'" << path << "' is not an ONNX model, or it is damaged: its " << bytes.size()
                   << " bytes can't be parsed";
    return nullptr;
  }
  if (!file->model.has_graph() || file->model.opset_import().empty()) {
    emitError(loc) << "'" << path << "' is not an ONNX model: it has no graph or names no opset";
    return nullptr;
  }
  sortNodes(*file->model.mutable_graph());
  std::vector<uint8_t> digests;
  if (failed(loadExternalData(*file, loc, digests)))
    return nullptr;
  if (digests.empty()) {
    file->hash = hashContent(llvm::arrayRefFromStringRef(bytes));
  } else {
    appendDigest(bytes, digests);
    file->hash = hashContent(digests);
  }
  return file;
}
