# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For scripts with a function `usage` that prints what --help does. To be sourced.

# answer_help_or_version [ARGUMENT]...: -h, --help and --version as the first argument are answered, and end the script.
answer_help_or_version() {
    case ${1-} in
        -h | --help) usage ;;
        --version)
            local header
            header=$(dirname "${BASH_SOURCE[0]}")/../include/softlane.h
            echo "scripts/${0##*/} $(sed -n 's/^#define SOFTLANE_VERSION "\(.*\)"$/\1/p' "$header")"
            ;;
        *) return 0 ;;
    esac
    exit 0
}
