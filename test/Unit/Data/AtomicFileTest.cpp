//===- AtomicFileTest.cpp - A file whole or not at all
//---------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/AtomicFile.h"
#include "TestFolder.h"
#include "halftone/Data/ProblemList.h"

using namespace mlir::halftone;

using AtomicFileTest = FolderTest;

static llvm::Error writeHello(llvm::raw_ostream &stream) {
  stream << "hello";
  return llvm::Error::success();
}

static llvm::Error writeHalf(llvm::raw_ostream &stream) {
  stream << "hel";
  return makeError("the second half is missing");
}

TEST_F(AtomicFileTest, WritesAndReplaces) {
  std::string path = writeText("x", "old and longer");
  expectSuccess(writeFileAtomically(path, writeHello));
  EXPECT_EQ("hello", readText(path));
  expectSuccess(writeFileAtomically(at("new"), writeHello));
  EXPECT_EQ("hello", readText(at("new")));
  EXPECT_EQ(2u, countFiles());
}

TEST_F(AtomicFileTest, AFailureLeavesTheOldFile) {
  std::string path = writeText("x", "old");
  expectFailure(writeFileAtomically(path, writeHalf), "second half");
  EXPECT_EQ("old", readText(path));
  expectFailure(writeFileAtomically(folder + "/y", writeHalf), "second half");
  EXPECT_EQ(1u, countFiles());
}

TEST_F(AtomicFileTest, NamesAPathThatCannotBeWritten) {
  expectFailure(writeFileAtomically(folder + "/none/x", writeHello),
                "cannot write", "/none/x", "No such file");
  expectFailure(writeFileAtomically(folder, writeHello), "cannot write", folder,
                "directory");
  writeText("file", "");
  expectFailure(writeFileAtomically(folder + "/file/x", writeHello),
                "cannot write", "/file/x");
}

TEST_F(AtomicFileTest, ReportsAFullDisk) {
  expectFailure(writeFileAtomically("/dev/full", writeHello),
                "cannot write '/dev/full': No space left");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST_F(AtomicFileTest, KeepsSymbolicLinks) {
  writeText("real", "old");
  std::filesystem::create_symlink("real", folder + "/link");
  expectSuccess(writeFileAtomically(folder + "/link", writeHello));
  EXPECT_TRUE(std::filesystem::is_symlink(folder + "/link"));
  EXPECT_EQ("hello", readText(at("real")));
}
