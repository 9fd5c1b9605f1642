//===- Module.cpp - Loads compiled models ---------------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The order of the checks is the point: bytes of the note, ABI version and CPU
// features come before dlopen, the table's consistency before its first use.
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/Module.h"
#include "halftone/Runtime/ArtefactNote.h"
#include "halftone/Runtime/CpuFeatures.h"
#include "halftone/Runtime/HugePages.h"
#include "halftone/Runtime/LastError.h"
#include "halftone/Runtime/ThreadCount.h"
#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/statvfs.h>

using namespace mlir::halftone;

static HalftoneStatus checkVersion(const std::string &path, uint32_t version) {
  if (version == HALFTONE_ABI_VERSION)
    return HALFTONE_OK;
  return fail(HALFTONE_WRONG_VERSION,
              "'" + path + "' has ABI version " + std::to_string(version) +
                  ", this runtime reads version " +
                  std::to_string(HALFTONE_ABI_VERSION) +
                  ": compile the model with the Halftone that this runtime "
                  "came with");
}

/// The first of the file's models that this CPU can run.
static HalftoneStatus selectVariant(const std::string &path,
                                    const std::vector<ArtefactNote> &notes,
                                    size_t &index) {
  std::string lists;
  for (index = 0; index < notes.size(); ++index) {
    std::vector<std::string> missing =
        missingCpuFeatures(notes[index].cpuFeatures);
    if (missing.empty() && requestCpuState(notes[index].cpuFeatures))
      return HALFTONE_OK;
    if (missing.empty())
      missing = {"AMX tiles (which the operating system does not let this "
                 "process use)"};
    std::string names;
    for (const std::string &name : missing)
      names += (names.empty() ? "" : ", ") + name;
    lists += (lists.empty() ? "" : "; or ") + names;
  }
  return fail(HALFTONE_MISSING_CPU_FEATURE,
              "'" + path +
                  "' needs CPU features that this machine does not "
                  "have: " +
                  lists +
                  ". Compile it with --target-cpu=native here, or with "
                  "--target-cpu=x86-64-v3 for most machines");
}

static const HalftoneLayerInfo &layerAt(const HalftoneModel &model,
                                        int32_t index) {
  auto *first = reinterpret_cast<const char *>(model.layers);
  return *reinterpret_cast<const HalftoneLayerInfo *>(
      first + int64_t(index) * model.layerStructBytes);
}

/// What is inconsistent in one list of tensors, or "".
static std::string describeBadTensors(const HalftoneTensorInfo *tensors,
                                      int32_t count) {
  if (count < 0 || (count > 0 && !tensors))
    return "a list of inputs or outputs";
  for (int32_t i = 0; i < count; ++i) {
    const HalftoneTensorInfo &tensor = tensors[i];
    if (!tensor.name || !tensor.preprocess || tensor.rank < 0 ||
        (tensor.rank > 0 && !tensor.shape) ||
        halftone_element_bytes(tensor.elementType) == 0)
      return "an input or output";
    for (int32_t axis = 0; axis < tensor.rank; ++axis)
      if (tensor.shape[axis] < -1)
        return "a shape";
  }
  return "";
}

/// What is inconsistent in the table, or "".
static std::string describeBadModel(const HalftoneModel &model) {
  if (model.structBytes < offsetof(HalftoneModel, numLayers))
    return "its size";
  for (const char *text :
       {model.name, model.target, model.cpuFeatures, model.sourceHash,
        model.compilerVersion, model.report})
    if (!text)
      return "a text";
  if (model.minBatch < 1 || model.maxBatch < model.minBatch)
    return "the range of the batch";
  int64_t alignment = model.workspaceAlignment;
  if (model.workspaceBytes < 0 || alignment < HALFTONE_ALIGNMENT ||
      (alignment & (alignment - 1)) != 0)
    return "the workspace";
  if (!model.run)
    return "the entry point";
  std::string why = describeBadTensors(model.inputs, model.numInputs);
  return why.empty() ? describeBadTensors(model.outputs, model.numOutputs)
                     : why;
}

/// The number of layers; negative if the list is inconsistent.
static int32_t checkLayers(const HalftoneModel &model) {
  if (model.structBytes < offsetof(HalftoneModel, numVariants))
    return 0;
  if (model.numLayers < 0 || (model.numLayers > 0 && !model.layers) ||
      (model.numLayers > 0 && model.layerStructBytes <
                                  int32_t(offsetof(HalftoneLayerInfo, cost))))
    return -1;
  for (int32_t i = 0; i < model.numLayers; ++i) {
    const HalftoneLayerInfo &layer = layerAt(model, i);
    if (!layer.name || !layer.kind || !layer.kernel || !layer.shapes ||
        !layer.body ||
        (model.layerStructBytes >= int32_t(sizeof(HalftoneLayerInfo)) &&
         !layer.cost))
      return -1;
  }
  return model.numLayers;
}

/// The model number `index` of `count`, or null if the table does not list as
/// many as there are notes.
static const HalftoneModel *variantAt(const HalftoneModel &model, size_t index,
                                      size_t count) {
  if (count == 1)
    return &model;
  if (model.structBytes < offsetof(HalftoneModel, costTable) ||
      model.numVariants != static_cast<int64_t>(count) || !model.variants)
    return nullptr;
  return model.variants[index];
}

/// Whether two lists differ in extents only, and leave the same ones open.
static bool areAlike(const HalftoneTensorInfo *a, int32_t countA,
                     const HalftoneTensorInfo *b, int32_t countB) {
  auto isLike = [](const HalftoneTensorInfo &x, const HalftoneTensorInfo &y) {
    bool alike = strcmp(x.name, y.name) == 0 && x.rank == y.rank &&
                 x.elementType == y.elementType;
    for (int32_t axis = 0; alike && axis < x.rank; ++axis)
      alike = (x.shape[axis] == -1) == (y.shape[axis] == -1);
    return alike;
  };
  return countA == countB && std::equal(a, a + countA, b, isLike);
}

/// A module for each size of the selected model; what is inconsistent, or "".
static std::string addSizes(HalftoneModule &module) {
  const HalftoneModel &first = *module.model;
  if (first.structBytes < sizeof(HalftoneModel) || first.numSizes == 0)
    return "";
  if (first.numSizes < 2 || !first.sizes || first.sizes[0] != &first)
    return "the list of sizes";
  for (int32_t i = 0; i < first.numSizes; ++i) {
    const HalftoneModel *model = first.sizes[i];
    if (!model || model->structBytes < sizeof(HalftoneModel) || !model->size)
      return "the list of sizes";
    if (std::string why = describeBadModel(*model); !why.empty())
      return why;
    if (!areAlike(first.inputs, first.numInputs, model->inputs,
                  model->numInputs) ||
        !areAlike(first.outputs, first.numOutputs, model->outputs,
                  model->numOutputs))
      return "the inputs and outputs of its sizes";
    auto size = std::make_unique<HalftoneModule>();
    size->path = module.path;
    size->model = model;
    if ((size->numLayers = checkLayers(*model)) < 0)
      return "the list of layers";
    module.sizes.push_back(std::move(size));
  }
  return "";
}

/// Why the system does not map the code of a file.
static std::string whyNotLoaded(const char *path) {
  const std::string reason = dlerror();
  struct statvfs status;
  if (statvfs(path, &status) == 0 && (status.f_flag & ST_NOEXEC))
    return "its file system is mounted noexec; move it to another one (temporary files go where TMPDIR says)";
  return reason;
}

/// Maps the library and fills in the table of variant `index` of `count`.
static HalftoneStatus openLibrary(HalftoneModule &module, size_t index,
                                  size_t count) {
  // A name without a slash would be searched for in the system's folders.
  char resolved[PATH_MAX];
  if (!realpath(module.path.c_str(), resolved))
    return fail(HALFTONE_CANNOT_READ,
                "cannot read '" + module.path + "': " + strerror(errno));
  module.handle = dlopen(resolved, RTLD_NOW | RTLD_LOCAL);
  if (!module.handle)
    return fail(HALFTONE_NOT_AN_ARTEFACT,
                "cannot load '" + module.path + "': " + whyNotLoaded(resolved));
  using Query = const HalftoneModel *(*)();
  auto query =
      reinterpret_cast<Query>(dlsym(module.handle, HALFTONE_QUERY_SYMBOL));
  module.model = query ? query() : nullptr;
  if (!module.model)
    return fail(HALFTONE_NOT_AN_ARTEFACT, "'" + module.path +
                                              "' is damaged: it has no "
                                              "table " HALFTONE_QUERY_SYMBOL);
  if (HalftoneStatus status =
          checkVersion(module.path, module.model->abiVersion))
    return status;
  const HalftoneModel *selected = variantAt(*module.model, index, count);
  if (!selected)
    return fail(HALFTONE_NOT_AN_ARTEFACT,
                "'" + module.path + "' is damaged: its list of variants");
  module.model = selected;
  std::string why = describeBadModel(*module.model);
  if (why.empty() && (module.numLayers = checkLayers(*module.model)) < 0)
    why = "the list of layers";
  if (why.empty())
    why = addSizes(module);
  if (!why.empty())
    return fail(HALFTONE_NOT_AN_ARTEFACT, "'" + module.path + "' is damaged: " +
                                              why + " in its table is invalid");
  return HALFTONE_OK;
}

static HalftoneStatus choosePool(HalftoneModule &module, int requested) {
  int count = 1;
  if (HalftoneStatus status = resolveThreadCount(requested, count))
    return status;
  module.pool = ThreadPool::shared(count);
  for (auto &size : module.sizes)
    size->pool = module.pool;
  return HALFTONE_OK;
}

static HalftoneStatus load(HalftoneModule &module,
                           const HalftoneLoadOptions &options) {
  std::vector<ArtefactNote> notes;
  if (HalftoneStatus status = readArtefactNotes(module.path, notes))
    return status;
  for (const ArtefactNote &note : notes)
    if (HalftoneStatus status = checkVersion(module.path, note.abiVersion))
      return status;
  size_t index = 0;
  if (HalftoneStatus status = selectVariant(module.path, notes, index))
    return status;
  if (HalftoneStatus status = openLibrary(module, index, notes.size()))
    return status;
  useHugePages(module);
  return choosePool(module, options.numThreads);
}

HalftoneModule::~HalftoneModule() {
  if (handle)
    dlclose(handle);
}

HalftoneStatus halftone_module_load(const char *path,
                                    const HalftoneLoadOptions *options,
                                    HalftoneModule **module) {
  if (!module)
    return fail(HALFTONE_INVALID_ARGUMENT, "'module' is a null pointer");
  *module = nullptr;
  if (!path)
    return fail(HALFTONE_INVALID_ARGUMENT, "'path' is a null pointer");
  auto loaded = std::make_unique<HalftoneModule>();
  loaded->path = path;
  HalftoneStatus status =
      load(*loaded, options ? *options : HalftoneLoadOptions{0});
  if (status == HALFTONE_OK)
    *module = loaded.release();
  return status;
}

void halftone_module_unload(HalftoneModule *module) { delete module; }

const HalftoneModel *halftone_module_info(const HalftoneModule *module) {
  return module ? module->model : nullptr;
}

int32_t halftone_module_threads(const HalftoneModule *module) {
  return module ? module->pool->size() : 1;
}

int32_t halftone_module_num_layers(const HalftoneModule *module) {
  return module ? module->numLayers : 0;
}

const HalftoneLayerInfo *halftone_module_layer(const HalftoneModule *module,
                                               int32_t index) {
  if (!module || index < 0 || index >= module->numLayers)
    return nullptr;
  return &layerAt(*module->model, index);
}
