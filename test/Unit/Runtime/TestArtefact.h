//===- TestArtefact.h - Loads the hand-made models of the tests -----------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_TEST_UNIT_RUNTIME_TESTARTEFACT_H
#define HALFTONE_TEST_UNIT_RUNTIME_TESTARTEFACT_H

#include "halftone-c/Runtime.h"
#include "gtest/gtest.h"
#include <string>

inline std::string artefactPath(const std::string &name) {
  return std::string(TEST_ARTEFACT_DIR) + "/" + name + ".so";
}

/// A module and a session of one test artefact.
struct TestArtefact {
  explicit TestArtefact(const std::string &name, int32_t numThreads = 1) {
    HalftoneLoadOptions options = {numThreads};
    EXPECT_EQ(HALFTONE_OK, halftone_module_load(artefactPath(name).c_str(),
                                                &options, &module))
        << halftone_last_error();
    EXPECT_EQ(HALFTONE_OK, halftone_session_create(module, &session))
        << halftone_last_error();
  }
  ~TestArtefact() {
    halftone_session_destroy(session);
    halftone_module_unload(module);
  }
  TestArtefact(const TestArtefact &) = delete;
  TestArtefact &operator=(const TestArtefact &) = delete;

  HalftoneModule *module = nullptr;
  HalftoneSession *session = nullptr;
};

/// The last error contains all these texts.
template <typename... Texts> void expectError(const Texts &...texts) {
  std::string message = halftone_last_error();
  for (std::string text : {std::string(texts)...})
    EXPECT_NE(std::string::npos, message.find(text))
        << "'" << text << "' is not in: " << message;
}

#endif // HALFTONE_TEST_UNIT_RUNTIME_TESTARTEFACT_H
