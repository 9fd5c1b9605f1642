// RUN: halftone-opt %s --halftone-name-interface -verify-diagnostics
// expected-error @below {{needs exactly one public function as its entry, found 2}}
module {
  func.func @a() { return }
  func.func @b() { return }
}
