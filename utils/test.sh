#!/bin/bash
# All tests, for a fresh Debian 12 machine: installs what is missing, builds everything, runs the lit, unit and Python
# tests, and ends with one line "N passed, N failed". A skipped test counts as failed unless test/allowed-skips.txt has
# its reason. --full adds the long ones.
set -euo pipefail
source "$(dirname "$0")/setup.sh"

install_packages "${build_packages[@]}" "${test_packages[@]}"
configure
make_venv
case " $* " in *" --full "*) install_model_packages ;; esac
compile all HalftoneUnitTests
ninja -C "$build" -t missingdeps # a header read before the rule that writes it: fails on another machine, in another order
step "Tests"
"$python" "$root/utils/run_tests.py" --build "$build" "$@"
