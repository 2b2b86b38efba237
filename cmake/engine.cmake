# The ECMAScript engine of `formatters check` and of the tests: Debian's duktape, built from the source that duktape-dev
# brings, because the depth of calls that both networks allow is set when it is compiled. Without that source the shared
# library is taken, which allows more.
find_path(DUKTAPE_SOURCE duktape.c PATHS /usr/share/duktape NO_DEFAULT_PATH)
if(DUKTAPE_SOURCE)
  set(engine ${PROJECT_BINARY_DIR}/engine)
  file(READ ${DUKTAPE_SOURCE}/duk_config.h config)
  # A call that is a function's last act is a call like any other to the networks' engines. The rest only takes room.
  foreach(name TAILCALL TRACEBACKS PC2LINE BYTECODE_DUMP_SUPPORT JX JC HEX_FASTPATH BASE64_FASTPATH
      JSON_DECSTRING_FASTPATH JSON_DECNUMBER_FASTPATH JSON_EATWHITE_FASTPATH JSON_QUOTESTRING_FASTPATH ARRAY_FASTPATH
      IDCHAR_FASTPATH)
    string(REGEX REPLACE "\n#define DUK_USE_${name}\n" "\n#undef DUK_USE_${name}\n" config "${config}")
  endforeach()
  string(REGEX REPLACE "\n#define DUK_USE_CALLSTACK_LIMIT [0-9]+" "\n#define DUK_USE_CALLSTACK_LIMIT 32" config "${config}")
  if(NOT config MATCHES "#undef DUK_USE_TAILCALL" OR NOT config MATCHES "#define DUK_USE_CALLSTACK_LIMIT 32")
    message(FATAL_ERROR "${DUKTAPE_SOURCE}/duk_config.h is not as expected")
  endif()
  file(CONFIGURE OUTPUT ${engine}/duk_config.h CONTENT "${config}" @ONLY)
  configure_file(${DUKTAPE_SOURCE}/duktape.h ${engine}/duktape.h COPYONLY)
  configure_file(${DUKTAPE_SOURCE}/duktape.c ${engine}/duktape.c COPYONLY)
  add_library(engine STATIC ${engine}/duktape.c)
  target_include_directories(engine SYSTEM PUBLIC ${engine})
  # What nobody calls is left out of the program.
  target_compile_options(engine PRIVATE -w -Os -ffunction-sections -fdata-sections)
  target_link_options(engine INTERFACE -Wl,--gc-sections)
  if(SANITIZE)
    target_compile_options(engine PRIVATE -fno-sanitize=all)
  endif()
  target_link_libraries(engine PUBLIC m)
else()
  pkg_check_modules(DUKTAPE REQUIRED IMPORTED_TARGET duktape)
  add_library(engine INTERFACE)
  target_link_libraries(engine INTERFACE PkgConfig::DUKTAPE)
  target_compile_definitions(engine INTERFACE ENGINE_DEPTH_IS_ITS_OWN)
endif()
