// The module carries the table that choices consult: the built-in one of the instruction set.
// RUN: halftone-opt %s --halftone-attach-cost-table=target=amx | FileCheck %s --check-prefix=V4
// RUN: halftone-opt %s --halftone-attach-cost-table=target=znver4 | FileCheck %s --check-prefix=ZEN4
// RUN: halftone-opt %s --halftone-attach-cost-table=target=avx2 | FileCheck %s --check-prefix=V3
// RUN: halftone-opt %s --halftone-attach-cost-table=target=dotprod | FileCheck %s --check-prefix=ARM
// V4: halftone.cost_table = "{{.*}}x86-64-v4{{.*}}amx
// ZEN4: halftone.cost_table = "{{.*}}znver4{{.*}}vpdpbusd_512
// V3: halftone.cost_table = "{{.*}}x86-64-v3{{.*}}maddubs_256
// ARM: halftone.cost_table = "{{.*}}aarch64{{.*}}sdot_128

// A module that has one keeps it.
// RUN: halftone-opt %s --halftone-attach-cost-table=target=avx2 --halftone-attach-cost-table=target=avx2 | FileCheck %s --check-prefix=V3

// RUN: not halftone-opt %s --halftone-attach-cost-table=target=abacus 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: unknown target 'abacus'
func.func @main() { return }
