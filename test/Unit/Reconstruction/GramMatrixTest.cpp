//===- GramMatrixTest.cpp - X^T X against three loops in i64 ------------------===//
#include "halftone/Reconstruction/GramMatrix.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir::halftone;

static void expectProduct(int64_t dimension, int64_t rows, int lowest, int highest) {
  std::mt19937 random(dimension * 1000 + rows);
  std::vector<int64_t> triangle(dimension * (dimension + 1) / 2, 5), expected = triangle;
  GramMatrix gram(dimension, triangle);
  for (int64_t p = 0; p < rows; ++p) {
    std::vector<int> row(dimension);
    for (int64_t i = 0; i < dimension; ++i) {
      row[i] = lowest + int(random() % unsigned(highest - lowest + 1));
      gram.set(i, row[i]);
    }
    gram.finishRow();
    for (int64_t i = 0, at = 0; i < dimension; ++i)
      for (int64_t j = 0; j <= i; ++j)
        expected[at++] += row[i] * row[j];
  }
  gram.flush();
  EXPECT_EQ(triangle, expected);
}

TEST(GramMatrix, OddSizes) {
  for (int64_t dimension : {1, 7, 9, 31, 32, 33, 65, 300})
    for (int64_t rows : {0, 1, 255, 256, 257, 600})
      expectProduct(dimension, rows, -255, 255);
}

TEST(GramMatrix, ExtremeCodes) { expectProduct(40, 1024, 255, 255); }
