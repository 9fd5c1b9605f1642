# The project's few CMake functions: a library, and the generated part of a pass folder.

# Every header that TableGen writes: each library waits for all of them, so that an include needs no line in CMake.
add_custom_target(HalftoneGeneratedHeaders)

# halftone_add_library(NAME sources... [LINK_LIBS libs...] [DEPENDS targets...])
# A static library against the shared MLIR and LLVM.
function(halftone_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC MLIR LLVM ${ARG_LINK_LIBS})
  llvm_update_compile_flags(${name})
  add_dependencies(${name} HalftoneGeneratedHeaders ${ARG_DEPENDS})
  halftone_install(${name} HalftoneTargets)
  if(TARGET HalftonePrecompiled)
    target_precompile_headers(${name} REUSE_FROM HalftonePrecompiled)
  endif()
endfunction()

# halftone_precompile(): makes the target whose precompiled header the libraries reuse.
function(halftone_precompile)
  file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cpp "")
  add_library(HalftonePrecompiled STATIC ${CMAKE_BINARY_DIR}/precompiled.cpp)
  target_link_libraries(HalftonePrecompiled PUBLIC MLIR)
  llvm_update_compile_flags(HalftonePrecompiled)
  target_precompile_headers(HalftonePrecompiled PRIVATE ${CMAKE_SOURCE_DIR}/cmake/Precompiled.h)
endfunction()

# halftone_add_passes(STAGE): Passes.td of the current include folder becomes
# Passes.h.inc (declarations, registration as register<STAGE>Passes) and
# docs/<STAGE>Passes.md.
function(halftone_add_passes stage)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name ${stage})
  add_public_tablegen_target(Halftone${stage}PassesIncGen)
  add_dependencies(HalftoneGeneratedHeaders Halftone${stage}PassesIncGen)
  add_mlir_doc(Passes ${stage}Passes ./ -gen-pass-doc)
endfunction()
