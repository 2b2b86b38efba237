# project_module(NAME [libraries...]): a static library of all .c files in this folder. What it may include is
# what it links.
function(project_module name)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  if(files)
    add_library(${name} STATIC ${files})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${name} PUBLIC ${ARGN})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${name} INTERFACE ${ARGN})
  endif()
endfunction()

# project_test(FILE [libraries...]): a test program named after its file.
function(project_test file)
  get_filename_component(name ${file} NAME_WE)
  add_executable(${name} ${file})
  target_link_libraries(${name} PRIVATE ${ARGN} PkgConfig::CMOCKA)
  target_compile_definitions(${name} PRIVATE TEST_DATA="${PROJECT_SOURCE_DIR}/tests")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
  project_valgrind_test(${name})
endfunction()

# Not under valgrind: one measures processor time, the other opens thousands of damaged journals.
set(VALGRIND_LEFT_OUT test_formatter_limits test_journal_damage)

# project_valgrind_test(TARGET [arguments...]): a test program again under valgrind. Only `ctest -C valgrind` runs it.
function(project_valgrind_test name)
  if(VALGRIND AND NOT SANITIZE AND NOT ${name} IN_LIST VALGRIND_LEFT_OUT)
    add_test(NAME ${name}.valgrind CONFIGURATIONS valgrind COMMAND ${VALGRIND_COMMAND} $<TARGET_FILE:${name}> ${ARGN})
    set_tests_properties(${name}.valgrind PROPERTIES TIMEOUT 900 LABELS valgrind)
  endif()
endfunction()

find_program(VALGRIND valgrind)
set(VALGRIND_COMMAND ${VALGRIND} --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect)
