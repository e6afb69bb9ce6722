# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# To be sourced by scripts/test: its legs, what they have in common, and the packages that they need. Several may run at once, each in a
# process of its own. What they use of the script: `out`, the folder of builds and logs; `state`, a folder that is empty when it starts;
# `named`, `machine`, `fuzz_seconds`, `fuzz_seed`; and `leg`, the name of the one that runs.
# shellcheck disable=SC2154

# ------------------------------------------------------------------------------------------------------- build and run

# quietly LEG.WHAT COMMAND...: a step with its log
quietly() { step "${1/./: }" "$out/$1.log" "${@:2}"; }

# build PRESET [OPTION]...: any warning is an error. Configured once, for all legs that ask for it; of two at once one waits.
build() {
    local configured=$state/$1.configured
    (
        flock 9
        if [[ ! -e $configured ]]; then
            quietly "$1.configure" cmake --preset "$1" -B "$out/$1" --fresh -DSOFTLANE_WERROR=ON || exit 1
            touch "$configured"
        fi
        quietly "$1.build" cmake --build "$out/$1" "${@:2}"
    ) 9>"$state/$1.lock"
}

# run_tests PRESET ISA [CTEST-OPTION]...: every test program first asserts that this ISA is the one in use. ctest notes what it does in a
# folder of the leg's own, because several legs test one build.
run_tests() {
    local status=0 folder=$out/tests/$leg
    mkdir -p "$folder"
    echo "subdirs(\"$PWD/$out/$1\")" >"$folder/CTestTestfile.cmake"
    SOFTLANE_EXPECT_ISA=$2 ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$(nproc)" "${@:3}" || status=$?
    # What the programs say of themselves; each runs its own part of all kernels.
    local log=$folder/Testing/Temporary/LastTest.log
    sed -nE '/^(ISA in use|skipped): /p' "$log" | sort -u
    sed -nE '/^[0-9]+ of [0-9]+ kernels executed/p' "$log" | sort -rnu | sed 1q
    return "$status"
}

# What this machine should choose, by the kernel's account of its CPU.
native_isa() {
    local features
    features=" $(sed -nE '/^(flags|Features)/{s/.*: //p;q}' /proc/cpuinfo) "
    if has sve && [[ $(cat /proc/sys/abi/sve_default_vector_length) == @(32|64) ]]; then
        echo "sve$(($(cat /proc/sys/abi/sve_default_vector_length) * 8))"
    elif has asimd; then
        echo neon
    elif has avx512f avx512dq avx512bw avx512vl avx2 fma f16c popcnt; then
        echo avx512
    elif has avx2 fma f16c popcnt; then
        echo avx2
    elif has sse2; then
        echo sse2
    else
        echo scalar
    fi
}

has() {
    local feature
    for feature; do
        [[ $features == *" $feature "* ]] || return 1
    done
}

# ---------------------------------------------------------------- legs: 0 passed, 77 skipped (and why), all else failed

# Of two versions each finds faults with what the other has laid out. Sets `formatter`; where Debian has not got this
# version it comes from PyPI.
formatter_version=14
find_formatter() {
    local venv=$out/venv release=14.0.6
    for formatter in "clang-format-$formatter_version" clang-format "$venv/bin/clang-format"; do
        [[ $("$formatter" --version 2>/dev/null) != *" version $formatter_version."* ]] || return 0
    done
    [[ $install == yes ]] && { ! has_dpkg || install_missing python3-venv; } &&
        quietly style.venv python3 -m venv "$venv" &&
        quietly style.clang-format "$venv/bin/pip" install --quiet --retries 1 "clang-format==$release"
}

leg_style() {
    local compiler language status=0
    local -a sources scripts
    mapfile -t sources < <(find . -path ./build -prune -o -name '*.[ch]' -print -o -name '*.inc' -print -o -name '*.cc' -print)
    if find_formatter; then
        "$formatter" --dry-run -Werror "${sources[@]}" || status=1
        echo "clang-format: ${#sources[@]} files"
    else
        echo "skipped: formatting needs clang-format $formatter_version, which is neither here nor to be had from PyPI"
    fi
    # Opened alone, as an editor does.
    find kernels -name '*.h' -print0 | xargs -0 -n 1 -P "$(nproc)" \
        gcc -x c -std=c11 -Wall -Wextra -Wno-unused-function -Werror -fsyntax-only -Iinclude -Ikernels || status=1
    echo "headers of kernels/ that open alone: $(find kernels -name '*.h' | wc -l)"
    mapfile -t scripts < <(grep -rlE '^(#!.*bash|# shellcheck shell=bash)$' scripts bindings .ci)
    shellcheck "${scripts[@]}" || status=1
    echo "shellcheck: ${#scripts[@]} files"
    for compiler in gcc clang; do
        for language in c11 c++17; do
            "$compiler" -x "${language%%[0-9]*}" -std="$language" -pedantic-errors -Wall -Wextra -Werror \
                -fsyntax-only -Iinclude -include softlane.h /dev/null || status=1
            echo "softlane.h: $compiler, $language"
        done
    done
    return "$status"
}

# The scripts print what the code must hold, to the last bit.
leg_coefficients() { scripts/coefficients/check; }

# Bounds for any input, proven from the sources; and the table of docs/accuracy.md.
leg_proofs() {
    [[ $machine == x86_64 ]] || {
        echo "SKIPPED: needs both classes of bits on one CPU"
        return 77
    }
    build release --target softlane_static &&
        tests/proofs/prove.py --build "$out/proofs" --library "$out/release/libsoftlane.a" --check docs/accuracy.md --mutations
}

# Errors, of the oracle or by it: the leg release knows them, and the same bits have the same.
errors='^(oracle|mpfr|gradients|exponential|tanh_.*|accuracy|accuracy_rest|search|exhaustive)$'

# leg_native PRESET full|small. The shared library has the objects of the static one, guard pages and registers are for the machine code
# that is shipped: sanitizers see nothing new in these.
leg_native() {
    local but=$errors
    local -a which=()
    [[ $1 != asan ]] || but+='|^(golden_shared|guard_pages|upper_registers)$'
    [[ $2 == full ]] || which=(--exclude-regex "$but")
    build "$1" && SOFTLANE_TEST_EFFORT=$2 run_tests "$1" "$(native_isa)" "${which[@]}"
}

# leg_threads PRESET
leg_threads() {
    build "$1" --target test_{dispatch,tune_load,exhaustive} example_threads{,_pool} &&
        SOFTLANE_TEST_EFFORT=small run_tests "$1" "$(native_isa)" \
            --tests-regex '^(dispatch|tune_load|exhaustive|example_threads(_pool)?)$'
}

# leg_fuzz PRESET: as many families at once as there are cores. What was found before is tried again first.
leg_fuzz() {
    local status=0
    local -a families
    build "$1" --target fuzz || return 1
    mapfile -t families < <(find "$out/$1/tests/fuzz" -name 'fuzz_*' -type f -printf '%f\n' | sort)
    (cd "$out" && mkdir -p "${families[@]/#/corpus/}")
    # env, because xargs does not replace the name of the command
    printf '%s\n' "${families[@]}" | xargs -P "$(nproc)" -I FAMILY env "$out/$1/tests/fuzz/FAMILY" \
        -seed="$fuzz_seed" -max_total_time="$fuzz_seconds" -max_len=512 -len_control=0 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="$out/FAMILY." "$out/corpus/FAMILY" >"$out/fuzz.log" 2>&1 || status=1
    echo "${#families[@]} families, $(awk '/number_of_executed_units/ { n += $2 } END { print n + 0 }' "$out/fuzz.log") inputs"
    grep -E '^(x |smoothing )|ERROR: |Test unit written' "$out/fuzz.log" >&2 || true
    return "$status"
}

leg_install() {
    build library && scripts/abi "$out/library" && scripts/check_install "$out/library"
}

leg_export() { build release && scripts/check_export "$out/release"; }

# As a stranger's project, with softlane installed. Open MPI wants to be asked to run as root, and more ranks than cores.
leg_mpi() {
    local of=$PWD/$out/mpi
    build library && quietly mpi.install cmake --install "$out/library" --prefix "$of/prefix" &&
        quietly mpi.configure cmake -S bindings/mpi -B "$of/build" --fresh -G Ninja -DCMAKE_PREFIX_PATH="$of/prefix" \
            -DCMAKE_COMPILE_WARNING_AS_ERROR=ON &&
        quietly mpi.build cmake --build "$of/build" &&
        ctest --test-dir "$of/build" --output-on-failure --no-tests=error &&
        softlane_ROOT=$of/prefix OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1 \
            OMPI_MCA_rmaps_base_oversubscribe=1 scripts/run_docs.py --build "$out/library" --scratch "$out/mpi/docs" \
            bindings/mpi/README.md
}

# As a user has it from the sources; pip brings NumPy and what builds it.
leg_python() {
    local of=$PWD/$out/python venv=$out/python/venv wheel
    rm -rf "$of"/{venv,*.whl}
    mkdir -p "$of"
    quietly python.venv /usr/bin/python3 -m venv "$venv" || return 1
    quietly python.tools "$venv/bin/pip" install --quiet --retries 1 --timeout 20 abi3audit ml_dtypes scikit-build-core || {
        echo "SKIPPED: pip reaches no packages here"
        return 77
    }
    # In a folder of its own, so that ccache knows it again.
    quietly python.wheel "$venv/bin/pip" wheel --no-deps --config-settings=build-dir="$of/build" --wheel-dir "$of" ./bindings/python &&
        wheel=$(echo "$of"/softlane-*.whl) &&
        echo "${wheel##*/}: $(($(stat --format=%s "$wheel") / 1024)) KiB" &&
        [[ $wheel == *-cp39-abi3-* ]] &&
        quietly python.audit "$venv/bin/abi3audit" --strict "$wheel" &&
        quietly python.install "$venv/bin/pip" install --quiet --retries 1 "$wheel" || return 1
    # Nothing of the tree is to be found by the way.
    (cd "$of" && venv/bin/python -m softlane) &&
        quietly python.tests "$venv/bin/python" -B -m unittest discover -s bindings/python/tests || return 1
    grep -E '^(Ran|OK)|skipped' "$out/python.tests.log"
}

# The packages, unpacked where no package manager would: they must work there, too.
leg_package() {
    local package prefix=$PWD/$out/packages
    rm -rf "$prefix"
    DEB_BUILD_OPTIONS=noautodbgsym quietly package scripts/package "$out/package" || return 1
    grep -E '^[EW]: ' "$out/package.log" | sort -u || true
    for package in "$out"/package/*.deb; do
        echo "${package##*/}"
        dpkg-deb --extract "$package" "$prefix"
    done
    scripts/check_install --prefix "$prefix/usr"
}

# What has PyTorch: the Python that SOFTLANE_TORCH_PYTHON names, or that of an environment of its own, which this leg makes when it is
# asked for by name. The package is tested where it is installed, beside an empty softlane.
leg_torch() {
    local folder=$PWD/$out/torch python=${SOFTLANE_TORCH_PYTHON-} release=2.15.0 site=$PWD/$out/torch/site
    local tests=$PWD/bindings/torch/tests venv=$PWD/$out/torch-venv needed='import torch.library, scikit_build_core, pytest, expecttest'
    python=${python:-$venv/bin/python}
    if ! "$python" -c "$needed" 2>/dev/null; then
        if [[ ${SOFTLANE_TORCH_PYTHON-} ]]; then
            echo "SOFTLANE_TORCH_PYTHON=$python has not got all that bindings/torch/tests/requirements.txt names" >&2
            return 1
        elif ((${#named[@]} == 0)) || [[ $install == no ]]; then
            echo "SKIPPED: no PyTorch: scripts/test --leg torch installs it (2.5 GB), SOFTLANE_TORCH_PYTHON=PYTHON names one that has it"
            return 77
        fi
        quietly torch.venv python3 -m venv "$venv" &&
            quietly torch.torch "$venv/bin/pip" install --no-cache-dir --no-deps "torch==$release" &&
            quietly torch.others "$venv/bin/pip" install --no-cache-dir -r "$tests/requirements.txt" || return
    fi
    rm -rf "$site"
    mkdir -p "$site/softlane"
    touch "$site/softlane/__init__.py"
    quietly torch.wheel "$python" -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$folder" \
        -C build-dir="$folder/build" -C cmake.define.SOFTLANE_WERROR=ON bindings/torch &&
        "$python" -m zipfile -e "$folder"/softlane_torch-*.whl "$site" || return
    ls -l "$folder"/softlane_torch-*.whl
    (cd "$folder" && PYTHONPATH=$site "$python" -m pytest -q -p no:cacheprovider "$tests") &&
        PYTHONPATH=$site "$python" bindings/torch/character_model.py --steps 50
}

# What the pages say to run, and what they show.
leg_docs() {
    build release || return 1
    scripts/run_docs.py --build "$out/release" --scratch "$out/docs" &&
        scripts/figures.py --program "$out/release/examples/example_why_softmax" --check "$out/figures"
}

# Chromium is not to be had everywhere: without it the leg is skipped.
leg_report() {
    local programs=$out/release/bench of=$out/report
    local run=("$programs/softlane-bench" --benchmark_min_time=0.001 --benchmark_repetitions=3
        --benchmark_out_format=json --benchmark_filter='^(softmax|sigmoid(_fast)?)/f32/.*/([0-9]{1,3}x10+|1x[0-9]{1,6})$')
    lacks_nothing chromium chromium-driver python3-selenium || {
        echo "SKIPPED: chromium, chromium-driver or python3-selenium is not to be had here"
        return 77
    }
    # Some machines have no name localhost. Where its names can be taken away from this one, so has it.
    local nameless=()
    if unshare --mount mount --bind /dev/null /etc/hosts 2>/dev/null; then
        nameless=(unshare --mount bash -c 'mount --bind /dev/null /etc/hosts && exec "$@"' bash)
    fi
    mkdir -p "$of"
    printf '%s\n' softmax/f32/{100x10,64x100,16x1000} sigmoid{,_fast}/f32/1x{5000,20000} >"$of/cells.txt"
    build release &&
        quietly report.bench "${run[@]}" --cells "$of/cells.txt" --benchmark_out="$of/bench.json" &&
        quietly report.sizes "${run[@]}" --sizes --benchmark_out="$of/sizes.json" &&
        quietly report.accuracy "$programs/softlane-accuracy" --filter '^sigmoid(_fast)?/f32/' --by-x \
            --json "$of/accuracy.json" &&
        /usr/bin/python3 scripts/report.py "$of/bench.json" --with "$of/accuracy.json" --with "$of/sizes.json" \
            --out "$of/one.html" &&
        /usr/bin/python3 scripts/check_report.py "$of/one.html" --screenshots "$of/one" &&
        /usr/bin/python3 scripts/report.py "$of/bench.json" "$of/bench.json" --with "$of/accuracy.json" \
            --with "$of/sizes.json" --with-b "$of/sizes.json" --out "$of/report.html" &&
        "${nameless[@]}" /usr/bin/python3 scripts/check_report.py "$of/report.html" --screenshots "$of"
}

skip_unless_x86_64() {
    [[ $machine == x86_64 ]] || {
        echo "SKIPPED: this machine is $machine, the leg is made for x86_64"
        return 77
    }
}

# leg_x86 MODEL ISA: the same build on each of qemu's CPU models. Bits are compared; their errors are known natively.
leg_x86() {
    skip_unless_x86_64 && build x86-qemu &&
        QEMU_CPU=$1 SOFTLANE_TEST_EFFORT=small SOFTLANE_TEST_ISA=$2 run_tests x86-qemu "$2" --label-regex matrix \
            --label-exclude bound --exclude-regex '^golden_shared$'
}

# leg_choice MODEL ISA: a model that differs from those in its choice only, so the quick tests of every kernel will do
leg_choice() {
    skip_unless_x86_64 && build x86-qemu &&
        QEMU_CPU=$1 SOFTLANE_TEST_EFFORT=small run_tests x86-qemu "$2" \
            --tests-regex '^(dispatch|vocabulary|special_values|arguments|real_logits)$'
}

# Sets `kernel` to one of Debian's, for a machine that is emulated: it is unpacked, not installed.
find_kernel() {
    local package folder=$out/avx512/kernel
    kernel=$(find "$folder" -name 'vmlinuz-*' 2>/dev/null | sort -V | tail -n 1)
    [[ ! $kernel && $install == yes ]] || return 0
    package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9]\)/\1/p')
    # shellcheck disable=SC2016 # the inner shell expands
    if [[ $package ]] && mkdir -p "$folder" && quietly avx512.kernel bash -c 'cd "$1"
        apt-get download "$2" && dpkg-deb --fsys-tarfile "$2"_*.deb | tar --extract ./boot' bash "$folder" "$package"; then
        kernel=$(find "$folder" -name 'vmlinuz-*')
    fi
}

# leg_bochs PRESET
leg_bochs() {
    local kernel log=$out/avx512.run.log status=0
    local -a topics=(golden floating_point_state upper_registers identity) programs
    skip_unless_x86_64 || return
    [[ $(native_isa) != avx512 ]] || {
        echo "SKIPPED: this CPU has AVX-512 itself, and the native legs use it"
        return 77
    }
    find_kernel
    [[ $kernel ]] || {
        echo "SKIPPED: linux-image-cloud-amd64 is not to be had here"
        return 77
    }
    build "$1" || return 1
    programs=("${topics[@]/#/$out/$1/tests/test_}")
    # Logarithms of the x87 unit are not good enough for the oracle of f64 in Bochs 2.7.
    quietly avx512.logarithms gcc -x c -O2 -shared -fPIC -o "$out/avx512/logarithms.so" - -lquadmath <<<'#include <quadmath.h>
        long double logl(long double x) { return (long double)logq(x); }
        long double log1pl(long double x) { return (long double)log1pq(x); }' || return 1
    # Every program must have ended and run AVX-512. Nothing may fail but bits of f16: vcvtps2ph of Bochs 2.7 does not round a
    # tie to even.
    SOFTLANE_TEST_ISA=avx512 SOFTLANE_EXPECT_ISA=avx512 SOFTLANE_TEST_EFFORT=small quietly avx512.run scripts/in_bochs \
        --any-exit-code --with tests/golden/hashes.txt --preload "$out/avx512/logarithms.so" \
        "$kernel" "$out/avx512/machine" "${programs[@]}" || return 1
    sed -nE '/^(CPU|ISA in use|skipped|ERROR): /p; /^[0-9]+ of [0-9]+ kernels executed/p; /: exit code /p' "$log"
    if (($(grep -c '^ISA in use: avx512, as expected' "$log") != ${#topics[@]})); then
        echo "not every program ran AVX-512" >&2
        status=1
    fi
    awk '/^\[  FAILED  \] .*: [a-z_]*\/f16\/avx512$/ && !seen[$0]++ { known++ }
        / exit code / { if ($NF != ($1 ~ /^test_(golden|identity):$/ ? known + 0 : 0)) { print; bad = 1 } known = 0 }
        END { exit bad }' "$log" >&2 || status=1
    return "$status"
}

# leg_arm PRESET full|bits: all tests but those of errors; or those of the bits alone.
leg_arm() {
    skip_unless_x86_64 || return
    if [[ $2 == bits ]]; then
        QEMU_CPU=max,sve=off run_topics "$1" neon golden vocabulary special_values identity forms strides dispatch
    else
        build "$1" && QEMU_CPU=max,sve=off SOFTLANE_TEST_EFFORT=small run_tests "$1" neon \
            --exclude-regex "$errors|^golden_shared$"
    fi
}

# leg_sve MODEL ISA: the quick tests of every kernel, and the bits; where NEON is the answer, that it is
leg_sve() {
    skip_unless_x86_64 && build aarch64 || return
    (
        [[ $2 != sve128 ]] || export SOFTLANE_ISA=$2
        local tests='vocabulary|golden|special_values|dispatch|arguments'
        [[ $2 != neon ]] || tests=dispatch
        QEMU_CPU=$1 SOFTLANE_TEST_EFFORT=small SOFTLANE_TEST_ISA=$2 run_tests aarch64 "$2" --tests-regex "^($tests)$"
    )
}

# leg_riscv PRESET: the tests of the bits, and of the choice on CPUs that have other vectors or none.
leg_riscv() {
    local vectors=rv64,v=true,elen=64,vext_spec=v1.0 tests
    local -a topics=(vocabulary golden special_values dispatch arguments floating_point_state)
    tests=$(printf '%s|' "${topics[@]}")
    skip_unless_x86_64 && build "$1" --target softlane softlane-info "${topics[@]/#/test_}" &&
        QEMU_CPU=$vectors,vlen=256 SOFTLANE_TEST_EFFORT=small run_tests "$1" rvv256 --tests-regex "^(${tests}objects)$" &&
        is_refused "$1" "$vectors,vlen=128" "the vector length is 16 bytes, not 32" &&
        is_refused "$1" rv64,v=false "the CPU lacks v"
}

# is_refused PRESET MODEL WHY: this CPU model gets plain C
is_refused() {
    QEMU_CPU=$2 SOFTLANE_TEST_EFFORT=small run_tests "$1" scalar --tests-regex '^dispatch$' || return 1
    QEMU_CPU=$2 qemu-riscv64-static -L /usr/riscv64-linux-gnu "$out/$1/bench/softlane-info" | grep -E " (rvv256|scalar) " |
        tee "$out/$1.info.log"
    grep -q " rvv256 *no: $3$" "$out/$1.info.log"
}

# run_topics PRESET ISA TOPIC...: these tests, of this ISA alone, on few inputs; nothing else is built.
run_topics() {
    local -a topics=("${@:3}")
    build "$1" --target "${topics[@]/#/test_}" &&
        SOFTLANE_TEST_EFFORT=small SOFTLANE_TEST_ISA=$2 run_tests "$1" "$2" \
            --tests-regex "^($(IFS='|' && echo "${topics[*]}"))(_rest)?\$"
}

# same_export PRESET EMULATOR COMPILER...: an export, compiled as strangers do, has the bits of the preset's library.
same_export() {
    local folder=$out/$1/export emulator=$2 cross=("${@:3}")
    scripts/export.py --kernel sigmoid,sigmoid_fast --dtype f32,f64 --prefix maps --out "$folder" &&
        "${cross[@]}" -O2 -Wall -Wextra -Werror -c "$folder/maps.c" -o "$folder/maps.o" &&
        "${cross[@]}" -O2 -static "-DHEADER=<maps.h>" -DPREFIX=maps "-I$folder" tests/flags.c "$folder/maps.o" \
            -o "$folder/exported.exe" &&
        "${cross[@]}" -O2 -static "-DHEADER=<softlane.h>" -DPREFIX=sl -Iinclude tests/flags.c "$out/$1/libsoftlane.a" \
            -o "$folder/library.exe" &&
        "$emulator" "$folder/library.exe" >"$folder/library.bits" &&
        "$emulator" "$folder/exported.exe" >"$folder/exported.bits" &&
        diff "$folder/library.bits" "$folder/exported.bits" &&
        echo "an export has the library's bits: $(wc -l <"$folder/library.bits") variants"
}

# leg_big PRESET ISA. The compiler's own dialect computes floats as floats, C11 by this compiler does not and is refused.
leg_big() {
    local compiler=s390x-linux-gnu-gcc
    skip_unless_x86_64 &&
        run_topics "$1" "$2" golden special_values accuracy vocabulary arguments dispatch real_logits torch_cases npy &&
        same_export "$1" qemu-s390x-static "$compiler" || return
    if "$compiler" -std=c11 -fsyntax-only "$out/$1/export/maps.c" 2>/dev/null; then
        echo "an export is not refused where floats are computed as doubles" >&2
        return 1
    fi
}

# leg_wine PRESET
leg_wine() {
    skip_unless_x86_64 || return
    export WINEPREFIX=$PWD/$out/wine WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml='
    local wine status=0
    wine=$(PATH=$PATH:/usr/lib/wine type -P wine64 || type -P wine)
    quietly windows.wineboot "$wine" wineboot --init || return
    # The server that all programs share ends with the leg.
    run_topics "$1" "$(native_isa)" golden golden_shared dll special_values vocabulary arguments dispatch tune_load &&
        same_export "$1" "$wine" clang-19 --target=x86_64-w64-mingw32 || status=$?
    "$wine" wineboot --end-session --kill --force >/dev/null 2>&1 || true
    return "$status"
}

# leg_wasm PRESET: compilers for WebAssembly are not to be had everywhere: without them the leg is skipped.
leg_wasm() {
    lacks_nothing "${wasm[@]%\?}" || {
        echo "SKIPPED: clang 19 for WebAssembly, or Node, is not to be had here"
        return 77
    }
    build "$1" && SOFTLANE_TEST_EFFORT=small run_tests "$1" simd128 \
        --tests-regex '^(objects|oracle|vocabulary|golden|special_values|arguments|dispatch|accuracy|accuracy_rest)$' &&
        SOFTLANE_ISA=Scalar run_tests "$1" scalar --tests-regex '^dispatch$' &&
        quietly "$1.scalar.configure" cmake --preset "$1" -B "$out/$1-scalar" --fresh -DSOFTLANE_WERROR=ON -DSOFTLANE_SIMD128=OFF &&
        quietly "$1.scalar.build" cmake --build "$out/$1-scalar" --target test_{dispatch,vocabulary} &&
        run_tests "$1-scalar" scalar --tests-regex '^(objects|dispatch|vocabulary)$' &&
        scripts/check_wasm "$out/$1" "$out/$1/page"
}

# Debian's mirror as apt has it
debian_mirror() {
    local codename
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    # shellcheck disable=SC2016 # apt expands
    apt-get indextargets 'Created-By: Packages' "Release: $codename" 'Component: main' --format '$(SITE)' 2>/dev/null | sed -n 1p
}

# in_root FOLDER COMMAND...: as root of that system, with nothing of this one's environment but how to reach the network.
# Mounts and processes end with the command.
in_root() {
    local variable kept=() certificates=/etc/ssl/certs/ca-certificates.crt
    [[ ! -f $1/root/${certificates##*/} ]] || kept+=("PIP_CERT=/root/${certificates##*/}")
    for variable in {http,https,no}_proxy TERM; do
        [[ ! ${!variable-} ]] || kept+=("$variable=${!variable}")
    done
    # shellcheck disable=SC2016 # the inner shell is the one that expands
    "${as_root[@]}" unshare --mount --pid --fork --kill-child bash -c 'set -e
        mount -t proc proc "$1/proc"
        mount -t sysfs -o ro sysfs "$1/sys"
        mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts"
        exec chroot "$@"' bash "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "${kept[@]}" "${@:2}"
}

# Debian 13 from scratch, with this tree in it. What it lacks it installs as any machine would.
leg_trixie() {
    local root=$PWD/$out/trixie mirror status=0
    become_root || {
        echo "SKIPPED: needs root"
        return 77
    }
    mirror=$(debian_mirror)
    [[ $mirror ]] || {
        echo "SKIPPED: apt has no mirror of Debian here"
        return 77
    }
    "${as_root[@]}" rm -rf --one-file-system "$root"
    if ! quietly trixie.debootstrap "${as_root[@]}" debootstrap --force-check-gpg --variant=minbase trixie "$root" "$mirror" ||
        ! quietly trixie.mounts in_root "$root" true; then
        echo "SKIPPED: Debian 13 cannot be set up here"
        "${as_root[@]}" rm -rf --one-file-system "$root"
        return 77
    fi
    # What it needs to reach the network from here: names, proxies and their certificates.
    "${as_root[@]}" cp -L /etc/resolv.conf "$root/etc/" || true
    "${as_root[@]}" cp -L /etc/ssl/certs/ca-certificates.crt "$root/root/" 2>/dev/null || true
    "${as_root[@]}" rm -f "$root/etc/hosts" # nothing may need a name for this machine
    apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date) ' |
        "${as_root[@]}" tee "$root/etc/apt/apt.conf.d/99host" >/dev/null || true
    tar --create --exclude=./build --exclude=./results --exclude=./.git . |
        "${as_root[@]}" tar --extract --no-same-owner --one-top-level="$root/checkout" # a name that nothing installed has
    in_root "$root" /checkout/scripts/test --leg style --leg release --leg install || status=1
    "${as_root[@]}" rm -rf --one-file-system "$root"
    return "$status"
}

# ---------------------------------------------------------------------------------------------------------------- needs

# needs_of HOW PRESET: the packages that a leg needs, and with a ? at the end those that it is better with
wasm=('clang-19?' 'lld-19?' 'llvm-19?' 'wasi-libc?' 'libclang-rt-19-dev-wasm32?' 'nodejs?')
needs_of() {
    local build="build-essential cmake ninja-build git? ccache?" tests="libcmocka-dev libmpfr-dev? valgrind? python3-numpy? python3-dev?"
    local bench="libbenchmark-dev libhwloc-dev?" arm="gcc-aarch64-linux-gnu libc6-dev-arm64-cross libcmocka-dev:arm64"
    local compiler=
    [[ ${2-} != *clang* && ${2-} != fuzz ]] || compiler="clang"
    case $1 in
        style) echo "build-essential clang shellcheck clang-format-$formatter_version?" ;;
        coefficients) echo "sollya python3" ;;
        proofs) echo "$build $tests $bench gappa sollya python3" ;;
        native | threads) echo "$build $tests $bench $compiler libopenblas-dev?" ;;
        mpi) echo "$build libopenmpi-dev openmpi-bin" ;;
        fuzz) echo "$build $tests $compiler libclang-rt-dev" ;;
        install) echo "$build clang pkg-config abigail-tools" ;;
        export)
            echo "$build $tests $bench clang python3"
            [[ $machine != x86_64 ]] || echo "qemu-user-static? ${arm// /? }? g++-aarch64-linux-gnu?"
            ;;
        python) echo "$build python3-dev python3-venv" ;;
        torch) echo "$build python3-venv" ;;
        package) echo "$build $bench clang pkg-config python3-numpy python3-dev dh-python debhelper fakeroot git help2man lintian xz-utils" ;;
        docs) echo "$build $tests $bench pkg-config python3-dev python3-numpy python3-matplotlib libopenblas-dev" ;;
        report) echo "$build $tests $bench chromium? chromium-driver? python3-selenium?" ;;
        x86 | choice) [[ $machine != x86_64 ]] || echo "$build $tests qemu-user-static" ;;
        bochs)
            [[ $machine != x86_64 ]] ||
                echo "$build $tests $bench bochs bochs-term bochsbios vgabios isolinux syslinux-common xorriso busybox-static cpio"
            ;;
        arm | sve) [[ $machine != x86_64 ]] || echo "$build $tests $compiler qemu-user-static $arm" ;;
        riscv)
            [[ $machine != x86_64 ]] ||
                echo "$build $tests qemu-user-static clang-19 lld-19 gcc-riscv64-linux-gnu libc6-dev-riscv64-cross"
            ;;
        big) [[ $machine != x86_64 ]] || echo "$build python3 qemu-user-static gcc-s390x-linux-gnu libc6-dev-s390x-cross" ;;
        wine) [[ $machine != x86_64 ]] || echo "$build python3 clang-19 gcc-mingw-w64-x86-64-win32 wine64" ;;
        wasm) echo "$build ${wasm[*]} chromium? chromium-driver? python3-selenium?" ;;
        trixie) echo "debootstrap debian-archive-keyring?" ;;
    esac
}
