//===- Progress.cpp - How far long work is, and how to stop it ------------===//
#include "Progress.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include <atomic>

using namespace mlir::halftone;
using namespace std::chrono_literals;

Progress::Progress(llvm::StringRef what, llvm::StringRef unit, int64_t total)
    : what(what), unit(unit), total(total),
      isTerminal(llvm::sys::Process::StandardErrIsDisplayed()),
      begin(Clock::now()), lastPrint(begin) {}

Progress::~Progress() {
  if (hasOpenLine)
    llvm::errs() << "\n";
}

void Progress::update(int64_t done) {
  auto now = Clock::now();
  auto pause = isTerminal ? 200ms : 10000ms;
  if (done == total || now - lastPrint >= pause)
    print(done, now);
}

void Progress::print(int64_t done, Clock::time_point now) {
  lastPrint = now;
  double seconds = std::chrono::duration<double>(now - begin).count();
  if (isTerminal)
    llvm::errs() << "\r\033[K";
  llvm::errs() << what << ": " << done << " of " << total << " " << unit;
  if (done == total)
    llvm::errs() << llvm::format(", %.1f s", seconds);
  else if (done > 0)
    llvm::errs() << llvm::format(", %.0f s left",
                                 seconds / done * (total - done));
  hasOpenLine = isTerminal;
  if (!isTerminal)
    llvm::errs() << "\n";
}

static std::atomic<bool> interruptFlag;

InterruptGuard::InterruptGuard() {
  interruptFlag = false;
  llvm::sys::SetInterruptFunction([] { interruptFlag = true; });
}

InterruptGuard::~InterruptGuard() { llvm::sys::SetInterruptFunction(nullptr); }

bool InterruptGuard::interrupted() const { return interruptFlag; }
