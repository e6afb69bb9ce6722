# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# To be sourced: step runs a command that takes long with its output in a log, and shows that it lives.

# step TEXT LOG COMMAND...: a line when it begins and one when it ends, with the seconds that it took. In between, on a
# terminal, the seconds and the last line of the log; elsewhere a line a minute. The end of the log if the command fails.
step() {
    local text=$1 log=$2 started=$SECONDS status=0 watcher
    shift 2
    : >"$log"
    [[ -t 2 ]] || echo "$text ..." >&2
    show_life "$text" "$log" &
    watcher=$!
    "$@" >"$log" 2>&1 || status=$?
    kill "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
    [[ ! -t 2 ]] || printf '\r\033[K' >&2
    if ((status)); then
        echo "$text: FAILED after $((SECONDS - started)) s (exit code $status); $log ends with" >&2
        tail -n 40 "$log" >&2
    else
        echo "$text: $((SECONDS - started)) s"
    fi
    return "$status"
}

# show_life TEXT LOG: until it is killed, or the script is no more
show_life() {
    local seconds=0 line
    # The pipes of the script are not for sleep, which may outlive it by a second.
    while sleep 1 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
        seconds=$((seconds + 1))
        [[ -t 2 ]] || ((seconds % 60 == 0)) || continue
        line="$1: $seconds s  $(tail -n 1 "$2" | tr -cd '[:print:]')"
        if [[ -t 2 ]]; then
            printf '\r\033[K%.79s' "$line" >&2
        else
            printf '%.119s\n' "$line" >&2
        fi
    done
}

# can_write FOLDER: makes it if need be. What was written there before must be writable, too.
can_write() {
    local probe file
    if ! mkdir -p "$1" 2>/dev/null || ! probe=$(mktemp -p "$1" 2>/dev/null); then
        return 1
    fi
    rm "$probe"
    for file in "$1"/*; do
        [[ ! -f $file || -w $file ]] || return 1
    done
}
