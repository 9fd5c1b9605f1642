//===- LoadTest.cpp - What is loaded, and what is refused
//------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestArtefact.h"
#include "halftone/Runtime/ArtefactNote.h"
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace mlir::halftone;

/// Loads a file that must be refused; returns the status.
static HalftoneStatus refused(const std::string &path) {
  auto *module = reinterpret_cast<HalftoneModule *>(8);
  HalftoneStatus status = halftone_module_load(path.c_str(), nullptr, &module);
  EXPECT_EQ(nullptr, module);
  return status;
}

static std::vector<char> readBytes(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

static std::string writeBytes(const std::string &name, const char *data,
                              size_t count) {
  std::string path = testing::TempDir() + name + std::to_string(getpid());
  std::ofstream(path, std::ios::binary)
      .write(data, static_cast<std::streamsize>(count));
  return path;
}

TEST(LoadTest, ReadsTheTable) {
  TestArtefact artefact("dynamic", 2);
  const HalftoneModel *model = halftone_module_info(artefact.module);
  EXPECT_STREQ("twice", model->name);
  EXPECT_STREQ("x", model->inputs[0].name);
  EXPECT_EQ(-1, model->inputs[0].shape[0]);
  EXPECT_STREQ("x: u8 nhwc rgb", model->inputs[0].preprocess);
  EXPECT_EQ(2, halftone_module_threads(artefact.module));
}

TEST(LoadTest, NoteIsReadWithoutSectionHeaders) {
  std::vector<char> bytes = readBytes(artefactPath("alien-cpu"));
  // e_shoff and e_shnum of the ELF header.
  std::fill_n(bytes.begin() + 40, 8, 0);
  std::fill_n(bytes.begin() + 60, 2, 0);
  std::string path = writeBytes("stripped", bytes.data(), bytes.size());
  std::vector<ArtefactNote> notes;
  EXPECT_EQ(HALFTONE_OK, readArtefactNotes(path, notes))
      << halftone_last_error();
  ASSERT_EQ(1u, notes.size());
  EXPECT_EQ("sse4_2,quantum_dots,warp_drive", notes[0].cpuFeatures);
  EXPECT_EQ(uint32_t(HALFTONE_ABI_VERSION), notes[0].abiVersion);
  unlink(path.c_str());
}

TEST(LoadTest, RefusesMissingFileAndFolder) {
  EXPECT_EQ(HALFTONE_CANNOT_READ, refused("/nonexistent/model.so"));
  expectError("/nonexistent/model.so", "No such file");
  EXPECT_EQ(HALFTONE_CANNOT_READ, refused("/tmp"));
  expectError("/tmp", "directory");
}

TEST(LoadTest, RefusesAPipe) {
  const std::string path = testing::TempDir() + "/pipe" + std::to_string(getpid()) + ".so";
  ASSERT_EQ(0, mkfifo(path.c_str(), 0600));
  EXPECT_EQ(HALFTONE_CANNOT_READ, refused(path));
  expectError(path, "not a regular file");
  unlink(path.c_str());
}

TEST(LoadTest, RefusesNullPointers) {
  HalftoneModule *module = nullptr;
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            halftone_module_load(nullptr, nullptr, &module));
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            halftone_module_load("x", nullptr, nullptr));
  halftone_module_unload(nullptr);
  halftone_session_destroy(nullptr);
}

TEST(LoadTest, RefusesOtherFiles) {
  std::string text = writeBytes("text", "hello, this is no library", 25);
  EXPECT_EQ(HALFTONE_NOT_AN_ARTEFACT, refused(text));
  expectError("not an ELF shared library");
  unlink(text.c_str());

  std::string empty = writeBytes("empty", "", 0);
  EXPECT_EQ(HALFTONE_NOT_AN_ARTEFACT, refused(empty));
  unlink(empty.c_str());

  EXPECT_EQ(HALFTONE_NOT_AN_ARTEFACT, refused(artefactPath("no-note")));
  expectError("not a compiled Halftone model", ".note.halftone");
}

TEST(LoadTest, RefusesEveryTruncation) {
  std::vector<char> bytes = readBytes(artefactPath("dynamic"));
  ASSERT_GT(bytes.size(), 1000u);
  for (size_t size = 4; size < bytes.size();
       size += size + 40 < bytes.size() ? 37 : 1) {
    std::string path = writeBytes("truncated", bytes.data(), size);
    EXPECT_EQ(HALFTONE_NOT_AN_ARTEFACT, refused(path)) << size;
    expectError("is truncated");
    unlink(path.c_str());
  }
}

TEST(LoadTest, SurvivesGarbageHeaders) {
  std::vector<char> bytes = readBytes(artefactPath("dynamic"));
  unsigned state = 1;
  for (int round = 0; round < 500; ++round) {
    std::vector<char> damaged = bytes;
    for (int i = 0; i < 8; ++i) {
      state = state * 1664525u + 1013904223u;
      damaged[4 + (state >> 8) % 1020] = static_cast<char>(state >> 24);
    }
    std::string path = writeBytes("garbage", damaged.data(), damaged.size());
    std::vector<ArtefactNote> notes;
    HalftoneStatus status = readArtefactNotes(path, notes);
    EXPECT_TRUE(status == HALFTONE_OK || status == HALFTONE_NOT_AN_ARTEFACT);
    unlink(path.c_str());
  }
}

TEST(LoadTest, RefusesAnotherAbi) {
  EXPECT_EQ(HALFTONE_WRONG_VERSION, refused(artefactPath("future")));
  expectError("ABI version 99", "reads version 1");
  EXPECT_EQ(HALFTONE_WRONG_VERSION, refused(artefactPath("future-table")));
}

TEST(LoadTest, NamesEveryMissingCpuFeature) {
  EXPECT_EQ(HALFTONE_MISSING_CPU_FEATURE, refused(artefactPath("alien-cpu")));
  expectError("quantum_dots, warp_drive", "--target-cpu");
  EXPECT_EQ(nullptr, strstr(halftone_last_error(), "sse4_2"));
}

TEST(LoadTest, RefusesDamagedTables) {
  EXPECT_EQ(HALFTONE_NOT_AN_ARTEFACT, refused(artefactPath("bad-table")));
  expectError("damaged", "workspace");
  EXPECT_EQ(HALFTONE_NOT_AN_ARTEFACT, refused(artefactPath("no-query")));
  expectError("damaged", "halftone_query");
}

TEST(LoadTest, RefusesAnotherArchitecture) {
  std::vector<char> bytes = readBytes(artefactPath("dynamic"));
  bytes[18] = static_cast<char>(0xf3); // e_machine: RISC-V.
  bytes[19] = 0;
  std::string path = writeBytes("alien", bytes.data(), bytes.size());
  EXPECT_EQ(HALFTONE_NOT_AN_ARTEFACT, refused(path));
  expectError("another architecture");
  unlink(path.c_str());
}

TEST(LoadTest, RefusesAWrongThreadCount) {
  HalftoneModule *module = nullptr;
  HalftoneLoadOptions options = {-3};
  EXPECT_EQ(
      HALFTONE_INVALID_ARGUMENT,
      halftone_module_load(artefactPath("dynamic").c_str(), &options, &module));
  expectError("-3");
}
