//===- HugePages.h - Constants that are read once a run, on huge pages ----===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A product of one row reads each weight once: its speed is that of memory, and
// with pages of 4 KiB more constants than the CPU has translations for cost a
// walk of the page tables every 4 KiB. The system gives huge pages to memory of
// the process, not to mapped files, so that such constants are moved to pages
// of the process, in place. Layers that use each weight many times hide these
// walks, and gain nothing; but lists of sparse kernels are read again for each
// tile of positions, by loads that are short there.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_RUNTIME_HUGEPAGES_H
#define HALFTONE_RUNTIME_HUGEPAGES_H

#include "halftone/Runtime/Module.h"

namespace mlir::halftone {

/// Moves the constants of a loaded module to huge pages where that pays: where
/// its layers on sparse kernels, and those that use a byte of constants at most
/// 16 times, read 4 MiB or more,
/// and the system has huge pages to give (transparent_hugepage is not "never").
/// HALFTONE_HUGE_PAGES=0 in the environment keeps the mapping of the file,
/// which processes share. Nothing fails: what cannot be moved stays.
void useHugePages(const HalftoneModule &module);

} // namespace mlir::halftone

#endif // HALFTONE_RUNTIME_HUGEPAGES_H
