# The programs of the servers, for the checks that start one. Sourced.

# server_program SERVER: prints the path of its program. Within `.ci/run` the tests have built it (PROGRAMS_ARE_BUILT);
# a build of one package alone takes other features of what it depends on, and would make most of the tree anew.
server_program() {
    local root
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    [ -n "${PROGRAMS_ARE_BUILT:-}" ] ||
        cargo build --quiet --locked --manifest-path "$root/Cargo.toml" --package "$1-mcp" >&2 || return 1
    echo "${CARGO_TARGET_DIR:-$root/target}/debug/$1-mcp"
}
