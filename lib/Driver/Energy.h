//===- Energy.h - What one run takes from the socket, measured or modelled ===//
//
// Measured: the counters of /sys/class/powercap (RAPL), of whole packages, so
// everything else that runs on the machine is in them.
//
// Modelled: instructions, multiply-accumulates and bytes of the profile, each
// at the energy that M. Horowitz, "Computing's energy problem (and what we can
// do about it)", ISSCC 2014, gives for 45 nm and 0.9 V. Today's chips take
// several times less; the shares are what the model is for.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_ENERGY_H
#define HALFTONE_LIB_DRIVER_ENERGY_H

#include "Profile.h"

namespace mlir::halftone {

/// Picojoules.
struct EnergyModel {
  double int8Mac = 0.2 + 0.1;      ///< 8-bit product, 32-bit sum.
  double floatMac = 3.7 + 0.9;     ///< f32 product and sum.
  double instruction = 70;         ///< Fetch, registers and control.
  double cacheByte = 100.0 / 8;    ///< 64 bits from a cache of 1 MB.
};

/// Microjoules of one run.
struct EnergyEstimate {
  double arithmetic = 0, instructions = 0, bytes = 0;
  double total() const { return arithmetic + instructions + bytes; }
  void add(const EnergyEstimate &other);
};

/// Of one layer. Vector code is counted at one instruction for each dot product
/// or vector that it reads or writes.
EnergyEstimate estimateEnergy(const ProfileRow &layer,
                              const EnergyModel &model = EnergyModel());

/// The sum of all packages' counters below a folder like /sys/class/powercap,
/// in microjoules; nothing where there are none that may be read.
std::optional<double> readEnergyCounters(llvm::StringRef folder);

/// Microjoules of one run, by the counters over about a second; nothing where
/// the machine has none.
llvm::Expected<std::optional<double>> measureEnergy(Contestant &contestant);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_ENERGY_H
