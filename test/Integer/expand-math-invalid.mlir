// RUN: halftone-opt %s --halftone-expand-math --split-input-file --verify-diagnostics

func.func @double(%x: f64) -> f64 {
  // expected-error @+1 {{has no polynomial for 'f64' (rule A15)}}
  %0 = math.exp %x : f64
  return %0 : f64
}
