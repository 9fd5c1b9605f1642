// RUN: rm -rf %t && mkdir -p %t/a %t/b
// RUN: halftone-opt %s --halftone-codegen-pipeline=target-cpu=reference --halftone-target-pipeline -o %t/model.mlir

// The same bytes in another folder, and nothing else in it.
// RUN: halftone-opt %t/model.mlir --halftone-write-target="target-cpu=reference output=%t/a/m.so" -o /dev/null
// RUN: cd %t/b && halftone-opt ../model.mlir --halftone-write-target="target-cpu=reference output=m.so" -o /dev/null
// RUN: cmp %t/a/m.so %t/b/m.so
// RUN: ls %t/b | count 1

// The other kinds of output.
// RUN: halftone-opt %t/model.mlir --halftone-write-target="target-cpu=reference name=double output=%t/m.o" -o /dev/null
// RUN: halftone-opt %t/model.mlir --halftone-write-target="target-cpu=reference output=%t/m.ll" -o /dev/null
// RUN: halftone-opt %t/model.mlir --halftone-write-target="target-cpu=reference output=%t/m.s" -o /dev/null
// RUN: llvm-nm %t/m.o | FileCheck %s --check-prefix=OBJECT
// RUN: FileCheck %s --check-prefix=HEADER < %t/m.h
// RUN: FileCheck %s --check-prefix=IR < %t/m.ll
// RUN: FileCheck %s --check-prefix=ASSEMBLY < %t/m.s

// OBJECT-NOT: U
// OBJECT: T halftone_query_m
// HEADER: double: a model compiled by Halftone
// HEADER: input 0: float [8] x
// HEADER: output 0: float [8] y
// HEADER: const HalftoneModel *halftone_query_m(void);
// IR: define internal{{.*}} i32 @halftone_run
// IR: attributes #{{.*}} "no-builtins"
// ASSEMBLY-DAG: halftone_query:
// ASSEMBLY-DAG: .section .note.halftone

// Mistakes leave nothing behind.
// RUN: not halftone-opt %t/model.mlir --halftone-write-target="output=%t/m.exe" -o /dev/null 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not halftone-opt %t/model.mlir --halftone-write-target="target-cpu=z80 output=%t/b/z.so" -o /dev/null 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not halftone-opt %t/model.mlir --halftone-write-target="target-cpu=reference output=%t/none/m.so" -o /dev/null 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: not halftone-opt %s --halftone-write-target="output=%t/b/z.so" -o /dev/null 2>&1 | FileCheck %s --check-prefix=STAGE
// RUN: not halftone-opt %s --halftone-codegen-pipeline=target-cpu=z80 -o /dev/null 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: ls %t/b | count 1

// KIND: error: cannot tell what to write to '{{.*}}m.exe': the name ends in .so, .o, .ll or .s
// CPU: unknown target CPU 'z80'; known are native, x86-64-v4+amx (amx), znver4, x86-64-v4+avx512vnni (avx512vnni), x86-64-v4 (avx512), x86-64-v3+avxvnni (avxvnni), x86-64-v3 (avx2), armv8.2-a+i8mm (i8mm), armv8.2-a+dotprod (dotprod), armv8-a (neon), reference
// FOLDER: error: cannot write {{.*}}none/m.so
// STAGE: error: is not the output of the target pipeline

func.func @main(%x: tensor<8xf32> {halftone.name = "x"}) -> (tensor<8xf32> {halftone.name = "y"}) {
  %e = tensor.empty() : tensor<8xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}
