# SPDX-License-Identifier: Apache-2.0
#
# To be sourced by scripts in the root of the checkout: builds go through ccache where it is installed, and
# find what another checkout of the same sources has compiled. (Debug information then names the
# folder of that one.)
set -euo pipefail
if command -v ccache >/dev/null 2>&1; then
  export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
  export CCACHE_BASEDIR=${CCACHE_BASEDIR-$PWD} CCACHE_NOHASHDIR=1
fi
