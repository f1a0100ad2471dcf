# shellcheck shell=bash
# What scripts/demo, scripts/test and scripts/install share. To be sourced by bash:
#
#   source "$(dirname "${BASH_SOURCE[0]}")/lib/bootstrap.sh"
#   need_apt libmpv2
#   make_venv "$ROOT/.venv" "$ROOT/scripts/locks/run.txt"
#
# It sets `set -euo pipefail`, ROOT, the folder of the checkout, and ORT_DISABLE_TELEMETRY, and
# changes nothing else: not the working folder, not the PATH.
#
#   say TEXT...              one line for the person who waits
#   die TEXT...              one line on standard error, exit status 1 (DIE_STATUS=N for another)
#   need_apt PACKAGE...      Debian packages, installed only when they are missing
#   find_python              prints a Python that will do
#   make_venv DIR LOCK...    a virtual environment with what the locks pin, and moodride itself

set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
export ROOT
# From 1.29 on the wheels of onnxruntime report their use to their maker, with a device number kept
# in ~/.cache/Microsoft, unless this is set before it is imported.
export ORT_DISABLE_TELEMETRY=1

say() { printf '%s\n' "$*"; }

die() {
    printf '%s: %s\n' "$(basename -- "$0")" "$*" >&2
    # shellcheck disable=SC2034 # for an EXIT trap that would say something as well
    DIED=1
    exit "${DIE_STATUS:-1}"
}

# --- system packages ------------------------------------------------------------------

# Why a package is wanted: printed before it is installed.
_why() {
    case $1 in
        libmpv2) echo 'plays the music' ;;
        strace) echo 'records what is written to the disk' ;;
        gcc | libc6-dev | python3*-dev) echo 'builds evdev, which has no wheel for this machine' ;;
        mmdebstrap | systemd-container) echo 'makes and boots the container' ;;
        python3*-venv) echo 'makes the virtual environment' ;;
        python3*) echo 'runs Moodride' ;;
        *) echo 'needed by this script' ;;
    esac
}

# Is what the package brings there? Without dpkg, look for the thing itself.
_have() {
    if command -v dpkg-query >/dev/null; then
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
        return
    fi
    case $1 in
        libmpv2) { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep -q 'libmpv\.so\.2' ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# Runs a command as root: directly, or by sudo, which may ask for a password.
_as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    else
        sudo -- "$@"
    fi
}

need_apt() {
    local package missing=() fresh=0
    for package in "$@"; do
        _have "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0

    command -v apt-get >/dev/null ||
        die "these system packages are missing, and there is no apt-get here to install them:" \
            "${missing[*]} (Debian's names); install what brings them and try again"
    if [[ $(id -u) != 0 ]]; then
        command -v sudo >/dev/null ||
            die "these system packages are missing: ${missing[*]}; as root run:" \
                "apt-get install ${missing[*]}"
        sudo -n true 2>/dev/null || [[ -t 0 ]] ||
            die "these system packages are missing, and sudo wants a password that nobody is" \
                "there to type: sudo apt-get install ${missing[*]}"
    fi

    say "Installing system packages with apt:"
    for package in "${missing[@]}"; do
        say "  $package ($(_why "$package"))"
    done
    for package in "${missing[@]}"; do
        # No candidate: the lists of this machine were never fetched, or are too old to know it.
        apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]' || fresh=1
    done
    local log
    log=$(mktemp "${TMPDIR:-/tmp}/moodride-apt.XXXXXX.log")
    ((fresh == 0)) || _apt "$log" update || true # the installation says what is wrong
    # Old lists name files that the mirror no longer has: fetch them once and try again.
    _apt "$log" install --yes --no-install-recommends "${missing[@]}" ||
        { ((fresh == 0)) && _apt "$log" update &&
            _apt "$log" install --yes --no-install-recommends "${missing[@]}"; } ||
        die "apt-get could not install ${missing[*]}: $(_reason "$log"); the whole log: $log"
    rm -f -- "$log"
}

_apt() {
    local log=$1
    shift
    _as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get --quiet "$@" \
        >>"$log" 2>&1 </dev/null
}

# The line of a log that says most: the last one that speaks of an error, or the last one.
_reason() {
    { grep -iE '^ *(E:|ERROR|error:|[A-Za-z.]*Error:)' -- "$1" || tail -n 1 -- "$1"; } | tail -n 1 |
        sed 's/^ *//; s/^\(E\|ERROR\): *//'
}

# --- Python ---------------------------------------------------------------------------

_python_will_do() {
    "$1" -c 'import sys; sys.exit(not (sys.version_info >= (3, 11) and sys.maxsize > 2**32))' \
        2>/dev/null
}

find_python() {
    local name path
    for name in ${MOODRIDE_PYTHON:+"$MOODRIDE_PYTHON"} python3 python3.13 python3.12 python3.11; do
        if path=$(command -v "$name") && _python_will_do "$path"; then
            printf '%s\n' "$path"
            return 0
        fi
    done
    return 1
}

_machine_will_do() {
    case $(uname -m) in
        x86_64 | aarch64 | arm64) ;;
        *)
            die "this machine is a $(uname -m); Moodride runs on x86_64 and aarch64 only" \
                "(on a Raspberry Pi take the 64-bit system)"
            ;;
    esac
}

# One word that changes when the environment has to be made anew.
_fingerprint() {
    local dir=$1 python=$2
    shift 2
    {
        printf '%s\n' "$dir"
        "$python" -c 'import sys, sysconfig; print(sys.version, sysconfig.get_platform())'
        cat -- "$@"
    } | sha256sum | cut -d' ' -f1
}

# Runs a step of pip; a terminal sees the package at hand, a file just the step.
_pip() {
    local dir=$1 log=$1/install.log what=$2 start=$SECONDS
    shift 2
    if [[ -t 1 ]]; then
        printf '  %s ...' "$what"
    else
        say "  $what ..."
    fi
    if ! PIP_USER=0 PIP_REQUIRE_HASHES='' PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
        PIP_CONSTRAINT='' PIP_TARGET='' PIP_PREFIX='' PYTHONPATH='' PYTHONNOUSERSITE=1 \
        LC_ALL=C.UTF-8 "$dir/bin/python" -m pip install --progress-bar off "$@" \
        </dev/null 2>&1 | tee -a -- "$log" | _ticker "$what"; then
        [[ ! -t 1 ]] || printf '\n'
        die "$what: $(_reason "$log"); the whole log: $log"
    fi
    [[ ! -t 1 ]] || printf '\r\033[K  %s: %d s\n' "$what" "$((SECONDS - start))"
}

_ticker() {
    local line
    while IFS= read -r line; do
        if [[ -t 1 && $line == Collecting* ]]; then
            line=${line#Collecting }
            printf '\r\033[K  %s ... %s' "$1" "${line%%[=<> (]*}"
        fi
    done
}

# make_venv DIR LOCK...: idempotent. The locks are pip's, with hashes; build.txt beside the first
# one holds what building needs. A finished environment carries a stamp; one without (the power
# went, somebody pressed Ctrl-C), or with another Python or other locks, is made anew.
make_venv() {
    local dir python lock locks=() stamp project
    dir=$(realpath -ms -- "$1")
    shift
    (($#)) || die 'make_venv: no lock file was named'
    lock=$(dirname -- "$1")/build.txt
    [[ $1 == "$lock" || ! -e $lock ]] || locks+=("$lock")
    locks+=("$@")
    for lock in "${locks[@]}"; do
        [[ -r $lock ]] || die "$lock: this lock file is missing; is the checkout complete?"
    done

    _machine_will_do
    python=$(find_python) || {
        need_apt python3
        python=$(find_python) ||
            die "Python 3.11 or newer, 64-bit, is needed; found: $(python3 --version 2>&1 || true)"
    }
    stamp=$(_fingerprint "$dir" "$python" "${locks[@]}")
    project=$(_fingerprint "$ROOT" "$python" "$ROOT/pyproject.toml")
    ! _venv_is_done || return 0

    # Two scripts at once would delete each other's half-made environment.
    mkdir -p -- "$(dirname -- "$dir")" || die "$(dirname -- "$dir"): cannot be created"
    local guard
    exec {guard}<"$(dirname -- "$dir")"
    flock --nonblock "$guard" || {
        say "Another script is making an environment in $(dirname -- "$dir"); waiting for it ..."
        flock "$guard"
    }
    if ! _venv_is_done; then
        _venv_has_locks || _venv_new
        _venv_project
    fi
    exec {guard}<&-
}

# The parts of make_venv; they see its variables.
_venv_has_locks() {
    [[ -x $dir/bin/python && $(cat -- "$dir/.moodride-locks" 2>/dev/null) == "$stamp" ]]
}

_venv_is_done() {
    _venv_has_locks && [[ $(cat -- "$dir/.moodride-project" 2>/dev/null) == "$project" ]]
}

_venv_new() {
    if [[ -d $dir && ! -e $dir/pyvenv.cfg && ! -e $dir/install.log ]] &&
        [[ -n $(ls -A -- "$dir") ]]; then
        die "$dir: is in the way and is no virtual environment; move it away"
    fi
    say "Making the virtual environment $dir ($("$python" --version))"
    # Debian keeps the makings of it in a package of its own.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        case $(realpath -- "$python") in
            /usr/bin/*) need_apt "$(basename -- "$python")-venv" ;;
        esac
    fi
    # evdev, which reads the buttons, has wheels for x86_64 only.
    [[ $(uname -m) == x86_64 || $(realpath -- "$python") != /usr/bin/* ]] ||
        need_apt gcc libc6-dev "$(basename -- "$python")-dev"
    rm -rf -- "$dir"
    mkdir -- "$dir" || die "$dir: cannot be created"
    : >"$dir/install.log"
    "$python" -m venv "$dir" >>"$dir/install.log" 2>&1 ||
        die "$dir: cannot be made: $(_reason "$dir/install.log"); the whole log: $dir/install.log"
    for lock in "${locks[@]}"; do
        # What is built from source is built with the pinned tools of build.txt.
        local isolation=(--no-build-isolation --use-pep517)
        [[ ${lock##*/} != build.txt ]] || isolation=()
        _pip "$dir" "$(_lock_title "$lock")" --require-hashes ${isolation[@]+"${isolation[@]}"} \
            --requirement "$lock"
    done
    printf '%s\n' "$stamp" >"$dir/.moodride-locks"
}

_venv_project() {
    _pip "$dir" 'moodride itself' --no-deps --no-build-isolation --editable "$ROOT"
    printf '%s\n' "$project" >"$dir/.moodride-project"
}

_lock_title() {
    local count
    count=$(grep -cE '^[A-Za-z0-9][A-Za-z0-9._-]*(\[.*\])? *==' -- "$1") || count=0
    printf '%s packages of %s\n' "$count" "$(basename -- "$1")"
}
