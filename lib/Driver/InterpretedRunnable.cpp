//===- InterpretedRunnable.cpp - A stage file in the evaluator ------------===//
#include "Command.h"
#include "LoadedModel.h"
#include "ModelOptions.h"
#include "Progress.h"
#include "Runnable.h"
#include "halftone/Evaluator/Evaluator.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

namespace {
class InterpretedRunnable : public Runnable {
public:
  InterpretedRunnable(std::unique_ptr<CompilerContext> context,
                      OwningOpRef<ModuleOp> module, InputInterface inputs)
      : context(std::move(context)), module(std::move(module)),
        inputs(std::move(inputs)) {}

  llvm::ArrayRef<InputInterface> interfaces() const override { return inputs; }
  Expected<std::vector<Tensor>> run(const Dataset &data) override;

private:
  /// One run. Where it takes one sample, outputs that do not begin with an axis of 1 get one for the samples, as the runtime gives them.
  Expected<std::vector<Tensor>> runOnce(std::vector<Tensor> samples, bool isOne);

  std::unique_ptr<CompilerContext> context;
  OwningOpRef<ModuleOp> module;
  InputInterface inputs;
};
} // namespace

static HostTensor toHost(const Tensor &tensor, Type type) {
  HostTensor host(getElementTypeOrSelf(type), tensor.shape);
  host.bytes.assign(tensor.bytes.begin(), tensor.bytes.end());
  return host;
}

/// Result number `index` of `main`, as data of the type that the interface says.
static Expected<Tensor> fromHost(const HostTensor &host, func::FuncOp main, unsigned index) {
  std::string name = resultName(main, index);
  std::optional<ElementType> type = elementTypeOf(host.elementType);
  if (!type)
    return userError("output '" + name + "' has a type that data cannot have");
  if (*type == ElementType::I8 && main.getResultAttr(index, kUnsignedAttr))
    type = ElementType::U8;
  Tensor tensor(name, *type, host.shape);
  std::copy(host.bytes.begin(), host.bytes.end(), tensor.bytes.begin());
  return tensor;
}

Expected<std::vector<Tensor>>
InterpretedRunnable::runOnce(std::vector<Tensor> samples, bool isOne) {
  auto main = module->lookupSymbol<func::FuncOp>("main");
  std::vector<HostTensor> arguments;
  for (auto [tensor, type] : llvm::zip(samples, main.getArgumentTypes())) {
    // One sample that is a whole input has an axis too many.
    if (static_cast<int64_t>(tensor.shape.size()) >
        cast<RankedTensorType>(type).getRank())
      tensor.shape.erase(tensor.shape.begin());
    arguments.push_back(toHost(tensor, type));
  }
  FailureOr<SmallVector<HostTensor>> results = evaluate(main, arguments);
  if (failed(results))
    return llvm::make_error<Reported>();
  std::vector<Tensor> outputs;
  for (auto [index, host] : llvm::enumerate(*results)) {
    Expected<Tensor> output = fromHost(host, main, index);
    if (!output)
      return output.takeError();
    if (isOne && (output->shape.empty() || output->shape.front() != 1))
      output->shape.insert(output->shape.begin(), 1);
    outputs.push_back(std::move(*output));
  }
  return outputs;
}

Expected<std::vector<Tensor>> InterpretedRunnable::run(const Dataset &data) {
  const InputSpec &first = inputs.inputs.front();
  bool whole = data.sampleShape(0).size() == first.shape.size();
  int64_t perRun = whole || first.shape.empty()
                       ? 1
                       : std::max<int64_t>(first.shape.front(), 1);
  if (data.size() % perRun)
    return userError("the evaluator runs " + Twine(perRun) +
                     " samples at a time; the data has " + Twine(data.size()));
  std::vector<Tensor> all;
  Progress progress("interpreting", "samples", data.size());
  for (int64_t begin = 0; begin < data.size(); begin += perRun) {
    Expected<std::vector<Tensor>> samples = data.read(begin, perRun);
    if (!samples)
      return samples.takeError();
    Expected<std::vector<Tensor>> some = runOnce(std::move(*samples), perRun == 1);
    if (!some)
      return some.takeError();
    appendSamples(all, std::move(*some));
    progress.update(begin + perRun);
  }
  return all;
}

Expected<std::unique_ptr<Runnable>>
mlir::halftone::openInterpreted(StringRef path, const ImportOptions &import) {
  auto context = std::make_unique<CompilerContext>();
  Expected<OwningOpRef<ModuleOp>> module = loadModel(path, context->get(), import);
  if (!module)
    return module.takeError();
  Expected<InputInterface> inputs = InputInterface::of(**module);
  if (!inputs)
    return inputs.takeError();
  return std::make_unique<InterpretedRunnable>(
      std::move(context), std::move(*module), std::move(*inputs));
}
