# SPDX-License-Identifier: Apache-2.0
# The warnings of docs/style.md, as errors, for every target that links this.
add_library(ringcast_warnings INTERFACE)
target_compile_options(ringcast_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast
  -Wnon-virtual-dtor -Wimplicit-fallthrough -Werror)
