//===- Variants.h - One model in several precisions -----------------------===//
//
// A variant is a model with a format for each of its layers (contractions with
// constant weights and a name of their own, which no rule of the user's recipe
// names); everything else is as the precision stage decides. Each is compiled
// and run for what it is: nothing is simulated.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_VARIANTS_H
#define HALFTONE_LIB_DRIVER_VARIANTS_H

#include "HessianCollector.h"
#include "LayerFormat.h"

namespace mlir::halftone {

/// A layer whose format is chosen.
struct SelectableLayer {
  std::string name;     ///< The source's.
  int64_t elements = 0; ///< Of its weights.
  bool keepsInt8;       ///< Whether --weights leaves it int8.
};

/// One of VariantCompiler::formats() for each layer.
using Assignment = std::vector<unsigned>;

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

/// Loads a library that is a variant.
llvm::Expected<Variant> loadVariant(TemporaryFile file);

/// How variants are made from a module.
struct VariantSettings {
  StageSettings stages; ///< Of all variants.
  std::string target;
  StorageChoice storage = StorageChoice::Automatic;
  std::vector<LayerFormat> formats; ///< The first is int8 by channel.
};

class VariantCompiler {
public:
  /// `module` is at the stage calibration, and lives longer. `samples` are for
  /// the Hessians where they are of use, which are summed here.
  static llvm::Expected<VariantCompiler> make(ModuleOp module,
                                              const VariantSettings &settings,
                                              const SampleRange &samples);

  llvm::ArrayRef<SelectableLayer> layers() const { return all; }
  llvm::ArrayRef<LayerFormat> formats() const { return settings.formats; }
  bool isFloat(unsigned format) const { return formats()[format].isFloat(); }
  /// What losses depend on beside the model and the samples.
  std::string describe() const;

  /// Whether formats are rounded or pruned by Hessians.
  bool usesHessians() const;
  /// Sums the Hessians of trials. Weights fit the samples that their Hessians
  /// are of, so losses are to be measured on others.
  llvm::Error prepareTrials(const SampleRange &samples);

  /// Whether chosen models are rounded layer by layer (--sequential). Trials are
  /// not: their layers share one set of Hessians.
  bool isSequential() const { return settings.stages.sequential; }

  llvm::Expected<Variant> compile(const Assignment &assignment) const;
  /// Layer by layer, on these samples.
  llvm::Expected<Variant> compileSequentially(const Assignment &assignment, const SampleRange &samples) const;
  /// Roundings that need Hessians round by diffusion, and formats prune by the
  /// weights alone.
  llvm::Expected<Variant> compileQuickly(const Assignment &assignment) const;
  /// The variant that has one format throughout, as a library whose layers'
  /// constants can be exchanged; int8 quickly, others by the trials' Hessians.
  llvm::Expected<TemporaryFile> compileOpen(unsigned format) const;
  /// int8 but for one layer, compiled quickly: where Hessians are of use, that
  /// layer alone has its own, of the trials.
  llvm::Expected<Variant> compileTrial(unsigned layer, unsigned format) const;
  /// All of it in floats.
  llvm::Expected<Variant> compileFloat() const;

  /// Writes the recipe that makes a variant: the user's rules, and one for each
  /// layer.
  llvm::Error writeRecipe(llvm::StringRef path,
                          const Assignment &assignment) const;
  /// The Hessians of the chosen model.
  const HessianFile &hessianFile() const { return allHessians; }

private:
  VariantCompiler(ModuleOp module, const VariantSettings &settings)
      : module(module), settings(settings) {}
  /// A copy at the stage precision.
  llvm::Expected<OwningOpRef<ModuleOp>> decide() const;
  llvm::Error findLayers(ModuleOp decided);
  StageSettings stagesFor(bool quickly) const;
  /// The module at the stage integer; with samples layer by layer.
  llvm::Expected<OwningOpRef<ModuleOp>>
  quantize(StageSettings stages, const Assignment &assignment,
           const SampleRange *samples = nullptr) const;
  llvm::Expected<Variant>
  compileQuantized(llvm::Expected<OwningOpRef<ModuleOp>> variant) const;

  ModuleOp module;
  VariantSettings settings;
  std::vector<RecipeRule> userRules;
  std::vector<SelectableLayer> all;
  std::optional<Hessians> trialHessians;
  HessianFile allHessians, trialFile; ///< Without a path if there are none.
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_VARIANTS_H
