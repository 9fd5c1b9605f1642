// RUN: halftone-opt %s --halftone-promote-constants='only=(' --split-input-file --verify-diagnostics

// expected-error @+1 {{'(' is no regular expression: parentheses not balanced}}
module {
  func.func @main() { return }
}

// -----

// expected-error @+1 {{needs a function @main}}
module {
  func.func @other() { return }
}
