# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# To be sourced: what scripts/bench can say about a --filter, first without a build. Names are KERNEL/TYPE/ISA/SHAPE, and of
# SHAPE only the form is known then: sizes follow the caches. Needs nothing but bash, sed and grep.

# names_of kernels|types|isas: of the manifests, one a line
names_of() {
    case $1 in
        kernels) sed -nE 's/^SL_KERNEL\(([a-z0-9_]+), *[A-Z]+_LOSS,.*/\1\n\1+grad/p; t
            s/^SL_(F32_)?KERNEL\(([a-z0-9_]+),.*/\2/p' kernels/kernels.def ;;
        types) sed -nE 's/^ *DO\(([a-z0-9]+),.*/\1/p' kernels/dtypes.def ;;
        isas) sed -nE 's/^SL_ISA\(([a-z0-9]+),.*/\1/p' kernels/isas.def ;;
        peers) sed -nE 's/^SL_PEER\(([a-z0-9]+),.*/\1/p' bench/peers/peers.def && printf 'onnxruntime\ntorch\n' ;;
    esac
}

# with_any_numbers REGEX: matches what REGEX does, and the same with other numbers where a shape has them: digits after
# a letter (f32, avx512) belong to a name and stay.
with_any_numbers() {
    local rest=$1 out='' bracket='^\[\^?\]?(\[[:.=][^]]*\]|[^]])*\]' repeated='^\{[0-9,]*\}' name='^(avx|[a-wyz_])[0-9]+'
    while [[ $rest ]]; do
        if [[ $rest == \\?* ]]; then
            set -- "${rest:0:2}" "${rest:0:2}"
        elif [[ $rest =~ $bracket ]]; then
            set -- "${BASH_REMATCH[0]}" "(${BASH_REMATCH[0]}|[0-9])*"
        elif [[ $rest =~ $repeated || $rest =~ $name ]]; then
            set -- "${BASH_REMATCH[0]}" "${BASH_REMATCH[0]}"
        elif [[ $rest == [0-9]* ]]; then
            set -- "${rest:0:1}" "([0-9]*)"
        elif [[ $rest == .* ]]; then
            set -- . "(.*)"
        else
            set -- "${rest:0:1}" "${rest:0:1}"
        fi
        rest=${rest:${#1}}
        out+=$2
    done
    printf '%s\n' "$out"
}

# valid_names [peers]: what a filter can ask for
valid_names() {
    local what
    for what in kernels types isas "$@"; do
        printf '  %s: %s\n' "$what" "$(names_of "$what" | tr '\n' ' ')"
    done
}

# is_regex TEXT: POSIX extended. A ) without ( is taken by some and not by others.
is_regex() {
    local status=0 plain opened closed
    # shellcheck disable=SC2319 # the status is 2 where the expression is none
    [[ '' =~ $1 ]] || status=$?
    plain=$(sed -E 's/\\.//g; s/\[\^?\]?(\[[:.=][^]]*\]|[^]])*\]//g' <<<"$1")
    opened=${plain//[^(]/} closed=${plain//[^)]/}
    ((status < 2 && ${#opened} == ${#closed}))
}

# check_filter REGEX [peers]: fails, and says why, if it is no regular expression or can match no name whatever the caches are.
check_filter() {
    local kernel type isa isas what names=()
    mapfile -t isas < <(for what in isas "${@:2}"; do names_of "$what"; done)
    if ! is_regex "$1"; then
        echo "--filter: '$1' is not a POSIX extended regular expression"
        return 1
    fi
    # One that starts with - takes names away. A reference back to a group would count the groups of the other one.
    if [[ $1 == -* || $1 == *\\[1-9]* ]]; then
        return 0
    fi
    while read -r kernel; do
        while read -r type; do
            for isa in "${isas[@]}"; do
                names+=("$kernel/$type/$isa/1x1" "$kernel/$type/$isa/1x1x1")
            done
        done < <(names_of types)
    done < <(names_of kernels)
    printf '%s\n' "${names[@]}" | grep -E -e "$(with_any_numbers "$1")" >/dev/null && return
    echo "--filter: '$1' matches no name; those are KERNEL/TYPE/ISA/SHAPE, as in softmax/f32/avx2/64x1000, of"
    valid_names "${@:2}"
    [[ $1 != *[a-z]+grad* ]] || echo "  (a + in a name is written \\+ there)"
    return 1
}
