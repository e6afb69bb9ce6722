# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# To be sourced: install_missing makes sure that Debian packages are there. Needs nothing but bash, dpkg and apt, so that it
# works where not even a compiler is installed. With install=no (SOFTLANE_NO_INSTALL, for scripts that one calls) it installs
# nothing.

# shellcheck source=scripts/steps.sh disable=SC1091
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

install=yes
[[ ! ${SOFTLANE_NO_INSTALL-} ]] || install=no
native=    # architecture of packages
missing=() # what list_missing found
declare -A known=() # what is_there found

# is_installed NAME[:ARCHITECTURE]
is_installed() {
    local architecture status of
    native=${native:-$(dpkg --print-architecture)}
    [[ $1 != *:* ]] && architecture=$native || architecture=${1#*:}
    # One line for each architecture that the package is known for.
    while read -r status of; do
        [[ $status != installed || ($of != "$architecture" && $of != all) ]] || return 0
    done < <(dpkg-query --show --showformat='${db:Status-Status} ${Architecture}\n' "$1" 2>/dev/null)
    return 1
}

has_dpkg() { command -v dpkg-query >/dev/null; }

# has_commands NAME...
has_commands() {
    local name
    for name; do
        command -v "$name" >/dev/null || return 1
    done
}

# compiles COMPILER LANGUAGE HEADER...
compiles() {
    has_commands "$1" && printf '#include <%s>\n' "${@:3}" | "$1" -x "$2" -fsyntax-only - 2>/dev/null
}

imports() { /usr/bin/python3 -c "import $1" 2>/dev/null; }

# is_provided NAME: what is needed of this package is there, wherever it came from
is_provided() {
    case $1 in
        build-essential) has_commands gcc g++ make && compiles gcc c stdlib.h ;;
        ninja-build) has_commands ninja ;;
        libcmocka-dev) compiles gcc c stdarg.h stddef.h setjmp.h stdint.h cmocka.h ;;
        libbenchmark-dev) compiles g++ c++ benchmark/benchmark.h ;;
        libhwloc-dev) compiles gcc c hwloc.h ;;
        libmpfr-dev) compiles gcc c mpfr.h ;;
        libopenblas-dev) compiles gcc c cblas.h ;;
        libopenmpi-dev | openmpi-bin) has_commands mpicc mpirun ;;
        libclang-rt-dev) has_commands clang && [[ -e $(clang -print-file-name=include/fuzzer/FuzzedDataProvider.h) ]] ;;
        python3-numpy | python3-matplotlib | python3-selenium) imports "${1#python3-}" ;;
        python3-dev) [[ -e $(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("include"))' 2>/dev/null)/Python.h ]] ;;
        python3-venv) imports ensurepip ;;
        abigail-tools) has_commands abidw abidiff ;;
        chromium-driver) has_commands /usr/bin/chromedriver ;;
        qemu-user-static) has_commands qemu-{x86_64,aarch64,s390x,riscv64}-static ;;
        gcc-*-linux-gnu | g++-*-linux-gnu) has_commands "${1#*-}-${1%%-*}" ;;
        libc6-dev-s390x-cross) compiles s390x-linux-gnu-gcc c stdlib.h ;;
        gcc-mingw-w64-x86-64-win32) has_commands x86_64-w64-mingw32-gcc x86_64-w64-mingw32-ld ;;
        wine64) has_commands wine64 || [[ -x /usr/lib/wine/wine64 ]] ;;
        debhelper) has_commands dh ;;
        dh-python) has_commands dh_python3 ;;
        xz-utils) has_commands xz ;;
        nodejs) has_commands node ;;
        llvm-19) has_commands llvm-nm-19 ;;
        wasi-libc) [[ -e /usr/include/wasm32-wasi/stdlib.h ]] ;;
        libc6-dev-arm64-cross) compiles aarch64-linux-gnu-gcc c stdlib.h ;;
        libc6-dev-riscv64-cross) compiles riscv64-linux-gnu-gcc c stdlib.h ;;
        libcmocka-dev:arm64) compiles aarch64-linux-gnu-gcc c stdarg.h stddef.h setjmp.h stdint.h cmocka.h ;;
        debian-archive-keyring) [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] ;;
        lib*) false ;;
        *) has_commands "$1" ;;
    esac
}

# is_there NAME: to be installed are Debian's own, of which is known that they will do. Asked once, until something is
# installed.
is_there() {
    if [[ ! ${known[$1]-} ]]; then
        known[$1]=no
        if has_dpkg && is_installed "$1"; then
            known[$1]=yes
        elif { [[ $install == no ]] || ! has_dpkg; } && is_provided "$1"; then
            known[$1]=yes
        fi
    fi
    [[ ${known[$1]} == yes ]]
}

# is_known NAME: to apt
is_known() { [[ $(apt-cache show --no-all-versions "$1" 2>/dev/null) ]]; }

# list_missing NAME...: into the array `missing`, each once. A ? at the end of a name says: better with it.
list_missing() {
    local package
    missing=()
    for package; do
        [[ " ${missing[*]-} " == *" ${package%\?} "* ]] || is_there "${package%\?}" || missing+=("${package%\?}")
    done
}

# become_root: sets `as_root` to what a command that root must run starts with; fails where that cannot be had.
as_root=()
become_root() {
    ((EUID != 0)) || return 0
    has_commands sudo || return 1
    sudo -n true 2>/dev/null || { [[ -t 0 ]] && sudo --validate; } || return 1
    as_root=(sudo)
}

# install_missing NAME[:ARCHITECTURE][?]...: fails if one is missing in the end whose name has no ?.
install_missing() {
    local package log missing=() foreign=()
    list_missing "$@"
    if ((${#missing[@]} == 0)); then
        echo "packages: nothing to install"
        return
    fi
    if [[ $install == no ]] || ! has_dpkg; then
        [[ $install == no ]] || echo "packages: this system has no dpkg: nothing is installed" >&2
        echo "packages: missing: ${missing[*]}" >&2
        lacks_nothing "$@"
        return
    fi

    for package in "${missing[@]}"; do
        [[ $package != *:* || " ${foreign[*]-} $(dpkg --print-foreign-architectures | tr '\n' ' ')" == *" ${package#*:} "* ]] ||
            foreign+=("${package#*:}")
    done
    if ! become_root; then
        ! is_known libc6 || drop_unknown "$@"
        ((${#missing[@]})) || return 0
        {
            echo "packages: missing, and neither root nor sudo is to be had. As root, run:"
            [[ ! ${foreign[*]-} ]] || printf '    dpkg --add-architecture %s\n' "${foreign[@]}"
            printf '    apt-get update\n    apt-get install --no-install-recommends %s\n' "${missing[*]}"
            echo "or do without: --no-install"
        } >&2
        return 1
    fi

    log=$(mktemp)
    for package in "${foreign[@]}"; do
        "${as_root[@]}" dpkg --add-architecture "$package" || return 1
    done
    # One source of many that cannot be reached is no reason to stop: what cannot be installed will say so.
    step "packages: apt-get update" "$log" "${as_root[@]}" apt-get update || true
    drop_unknown "$@"
    ((${#missing[@]})) || return 0
    echo "packages: to install: ${missing[*]}"
    # apt's own figures, before anything happens: "Need to get ...", "After this operation, ..."
    LC_ALL=C apt-get --print-uris --yes --no-install-recommends -o Debug::NoLocking=1 install "${missing[@]}" 2>/dev/null |
        sed -nE 's/^ *(Need to get |Download size: |After this operation, |Space needed: )/packages: \1/p'
    known=()
    # Another apt that works is waited for.
    if ! step "packages: apt-get install" "$log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
        apt-get -o DPkg::Lock::Timeout=600 --yes --no-install-recommends install "${missing[@]}"; then
        echo "packages: apt-get could not install ${missing[*]}; --no-install does without" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

# drop_unknown NAME[?]...: what one can do without may be unknown to this release, and is then no longer in `missing`.
drop_unknown() {
    local i
    for i in "${!missing[@]}"; do
        [[ " $* " != *" ${missing[i]}? "* ]] || is_known "${missing[i]}" || unset "missing[i]"
    done
}

# lacks_nothing NAME[?]...: nothing that has no ?
lacks_nothing() {
    local package
    for package; do
        [[ $package == *\? ]] || is_there "$package" || return 1
    done
}
