# cmake -DSOURCE_DIR=... -DHEADER=... -P WriteVersion.cmake
# Writes the commit that is being built as a macro; touches the header only when it changes.
execute_process(COMMAND git -C ${SOURCE_DIR} rev-parse HEAD
                OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
set(text "")
if(revision)
  set(text "#define HALFTONE_REVISION \"${revision}\"\n")
endif()
file(WRITE ${HEADER}.new "${text}")
execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${HEADER}.new ${HEADER})
file(REMOVE ${HEADER}.new)
