//===- MachineClock.h - The frequency of this CPU, now --------------------===//
#ifndef HALFTONE_LIB_DRIVER_MACHINECLOCK_H
#define HALFTONE_LIB_DRIVER_MACHINECLOCK_H

namespace mlir::halftone {

/// Cycles per second of this thread's CPU under load, from a chain of dependent
/// multiplications, or 0 where their latency is not known.
double measureClock();

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_MACHINECLOCK_H
