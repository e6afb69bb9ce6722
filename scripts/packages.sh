# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# To be sourced: install_missing makes sure that Debian packages are there. Needs nothing but bash and dpkg, so that it
# works where not even a compiler is installed.

# is_installed NAME[:ARCHITECTURE]
is_installed() {
    local architecture status of
    architecture=$(dpkg --print-architecture)
    [[ $1 != *:* ]] || architecture=${1#*:}
    # One line for each architecture that the package is known for.
    while read -r status of; do
        [[ $status != installed || ($of != "$architecture" && $of != all) ]] || return 0
    done < <(dpkg-query --show --showformat='${db:Status-Status} ${Architecture}\n' "$1" 2>/dev/null)
    return 1
}

# install_missing NAME[:ARCHITECTURE]...
install_missing() {
    local package missing=() as_root=()
    if ! command -v dpkg-query >/dev/null; then
        echo "packages: this system has no dpkg: $* (or their like) must be there already" >&2
        return
    fi
    for package; do
        is_installed "$package" || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        echo "packages: nothing to install"
        return
    fi

    echo "packages: installing ${missing[*]}"
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "packages: neither root nor sudo; as root, run: apt-get install ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    for package in "${missing[@]}"; do
        [[ $package != *:* ]] || "${as_root[@]}" dpkg --add-architecture "${package#*:}"
    done
    if ! { "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -qq --no-install-recommends "${missing[@]}" >/dev/null; }; then
        echo "packages: apt-get could not install ${missing[*]}" >&2
        return 1
    fi
}
