//===- PageStyle.h - How the pages of reports look -------------------------===//
#ifndef HALFTONE_LIB_DRIVER_PAGESTYLE_H
#define HALFTONE_LIB_DRIVER_PAGESTYLE_H

namespace mlir::halftone {

/// CSS of a page: text, tables (class n: numbers), drawings in colours a to d.
inline constexpr char kPageStyle[] = R"(
:root { --ink: #1d2129; --dim: #6a7280; --paper: #fff; --band: #f4f5f7;
  --rule: #d9dde3; --a: #9aa3b2; --b: #2264c7; --c: #d9822b; --d: #3a9a6b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e5e8ee; --dim: #98a1b0;
  --paper: #14171c; --band: #1d2229; --rule: #333a45; --a: #6f7a8c;
  --b: #5b9bf0; --c: #e8a15a; --d: #5fc092; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
p { margin: .4rem 0; max-width: 46rem; } .dim { color: var(--dim); }
table { border-collapse: collapse; font-size: .85rem; margin: .6rem 0; }
th, td { padding: .2rem .7rem .2rem 0; text-align: left; vertical-align: middle; }
th { color: var(--dim); font-weight: 500; border-bottom: 1px solid var(--rule); }
tbody tr:nth-child(even) { background: var(--band); }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide { overflow-x: auto; } svg { display: block; max-width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: var(--ink); }
svg text.end { text-anchor: end; } svg text.dim { fill: var(--dim); }
.a { fill: var(--a); } .b { fill: var(--b); } .c { fill: var(--c); }
.d { fill: var(--d); } .grid { stroke: var(--rule); }
.before { fill: var(--a); opacity: .55; } .after { fill: none; stroke: var(--b); }
summary { cursor: pointer; color: var(--b); }
)";

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_PAGESTYLE_H
