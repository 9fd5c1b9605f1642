//===- Variants.h - One model in several precisions -----------------------===//
//
// A variant is a model with a format for each of its layers (contractions with
// constant weights and a name of their own); everything else is as the
// precision stage decides. Each is compiled and run for what it is: nothing is
// simulated.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_VARIANTS_H
#define HALFTONE_LIB_DRIVER_VARIANTS_H

#include "Metric.h"
#include "Stages.h"
#include "TemporaryFile.h"

namespace mlir::halftone {

/// What a layer can be.
enum class LayerFormat { Int8, Float };
llvm::StringRef formatName(LayerFormat format);

/// A layer whose format is chosen.
struct SelectableLayer {
  std::string name;
  int64_t elements = 0, channels = 0; ///< Of its weights; output channels.

  /// Weights with their scales.
  int64_t bytes(LayerFormat format) const {
    return format == LayerFormat::Float ? 4 * elements : elements + 4 * channels;
  }
};

/// One format for each layer.
using Assignment = std::vector<LayerFormat>;

/// A compiled variant.
struct Variant {
  std::string path() const { return file.path().str(); }
  int64_t constantBytes() const { return model.info().constantBytes; }
  llvm::Expected<std::vector<Tensor>> run(const SampleRange &range) {
    return model.runDataset(range.data, range.begin, range.end);
  }

  TemporaryFile file;
  LoadedModel model;
};

class VariantCompiler {
public:
  /// `module` is at the stage calibration, and lives longer. `settings` are
  /// those of all variants.
  static llvm::Expected<VariantCompiler> make(ModuleOp module,
                                              const StageSettings &settings,
                                              llvm::StringRef target);

  llvm::ArrayRef<SelectableLayer> layers() const { return all; }
  llvm::Expected<Variant> compile(const Assignment &assignment) const;
  /// All of it in floats.
  llvm::Expected<Variant> compileFloat() const;
  /// The settings that make a variant from the module.
  StageSettings settingsOf(const Assignment &assignment) const;

private:
  VariantCompiler(ModuleOp module, const StageSettings &settings,
                  llvm::StringRef target)
      : module(module), settings(settings), target(target) {}
  llvm::Error findLayers();

  ModuleOp module;
  StageSettings settings;
  std::string target;
  std::vector<SelectableLayer> all;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_VARIANTS_H
