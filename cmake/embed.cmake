# SPDX-License-Identifier: Apache-2.0
# Files as text in a program: `cmake -DOUT=FILE.cpp -DHEADER=H -DNAMESPACE=N -DFILES=NAME=PATH;...
# -P embed.cmake` writes a source that defines each NAME as a std::string_view of its file's bytes.
set(text "// Made by cmake/embed.cmake.\n#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n")
foreach(pair ${FILES})
  string(REGEX MATCH "^([a-z_]+)=(.*)$" matched "${pair}")
  set(name ${CMAKE_MATCH_1})
  file(READ "${CMAKE_MATCH_2}" bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND text "static constexpr unsigned char ${name}_bytes[] = {${bytes}0};\n"
    "const std::string_view ${name}(reinterpret_cast<const char*>(${name}_bytes), sizeof ${name}_bytes - 1);\n")
endforeach()
string(APPEND text "}\n")
file(WRITE "${OUT}" "${text}")
