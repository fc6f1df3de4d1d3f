# shellcheck shell=bash
# What the scripts share: the two builds. Sourced from the top of the tree.

jobs=${FW_TEST_JOBS:-$(nproc)}

# build FOLDER OPTION…: sets the folder up once and brings it up to date. The options are part of what is tested and
# measured, so a folder of other options is made anew.
build() {
  local folder=$1
  shift
  if [ "$(cat "$folder/.options" 2>/dev/null)" != "$*" ]; then
    [ ! -d "$folder/meson-info" ] || rm -rf "$folder"
    meson setup "$folder" "$@" || return
    echo "$*" >"$folder/.options"
  fi
  ninja -C "$folder" -j "$jobs"
}

build_sanitized() { build build-test -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false; }
build_release() { build build -Dbuildtype=release -Doptimization=2 -Db_lto=true; }

# announced TEXT COMMAND…: runs a command whose output matters only when it fails. Returns its status.
announced() {
  local text=$1 log status=0
  shift
  echo "$text" >&2
  log=$(mktemp)
  "$@" >"$log" 2>&1 || { status=$?; tail -n 60 "$log" >&2; }
  rm -f "$log"
  return $status
}
