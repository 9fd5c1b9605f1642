//===- Augmentation.cpp - pictures a little different each time -------------===//
#include "Augmentation.h"
#include "Command.h"
#include "llvm/ADT/StringExtras.h"
#include <random>

using namespace mlir::halftone;
using llvm::Expected;

Expected<Augmentation> Augmentation::parse(llvm::StringRef text) {
  Augmentation result;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts) {
    auto [name, number] = part.split('=');
    int64_t value = 0;
    bool hasValue = !number.getAsInteger(10, value) && value > 0;
    if (part == "flip")
      result.flip = true;
    else if (name == "shift" && hasValue)
      result.shift = value;
    else if (name == "erase" && hasValue && value >= 3)
      result.erase = value;
    else
      return userError("--augment knows flip, shift=PIXELS and erase=PIXELS (3 or more), not '" + part + "'");
  }
  return result;
}

/// The most channels that a picture has.
static constexpr int64_t kMostChannels = 4;

static bool isChannelsLast(llvm::ArrayRef<int64_t> shape) { return shape[1] > kMostChannels; }

bool mlir::halftone::holdsPictures(ElementType type, llvm::ArrayRef<int64_t> shape) {
  return type == ElementType::F32 && shape.size() == 4 && shape[isChannelsLast(shape) ? 3 : 1] <= kMostChannels;
}

void Augmentation::apply(Tensor &pictures, int64_t index, uint64_t seed) const {
  llvm::ArrayRef<int64_t> shape = pictures.shape;
  bool last = isChannelsLast(shape);
  const int64_t channels = shape[last ? 3 : 1], height = shape[last ? 1 : 2], width = shape[last ? 2 : 3];
  auto at = [&](int64_t c, int64_t y, int64_t x) { return last ? (y * width + x) * channels + c : (c * height + y) * width + x; };

  std::mt19937_64 generator(seed);
  auto draw = [&](int64_t low, int64_t high) { return low + static_cast<int64_t>(generator() % (high - low + 1)); };
  const int64_t down = draw(-shift, shift), right = draw(-shift, shift);
  const bool mirror = flip && draw(0, 1);
  const int64_t side = erase && draw(0, 1) ? draw(3, erase) : 0;
  const int64_t top = draw(-2, height - 4), left = draw(-2, width - 4);

  llvm::MutableArrayRef<float> picture = pictures.values<float>().slice(index * channels * height * width, channels * height * width);
  std::vector<float> old(picture.begin(), picture.end());
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      int64_t fromX = (mirror ? width - 1 - x : x) + right, fromY = y + down;
      bool outside = fromX < 0 || fromX >= width || fromY < 0 || fromY >= height;
      bool erased = y >= top && y < top + side && x >= left && x < left + side;
      for (int64_t c = 0; c < channels; ++c)
        picture[at(c, y, x)] = outside || erased ? 0 : old[at(c, fromY, fromX)];
    }
}
