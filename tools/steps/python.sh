# Step 2 of tools/setup: a virtual environment with what the lock names, and loa itself in it.
# shellcheck shell=bash

minimum=11 # of Python 3

is_supported() { "$1" -c "import sys; sys.exit(sys.version_info < (3, $minimum))" 2>/dev/null; }
choose_python() {
    local candidate
    for candidate in /usr/bin/python3 python3.14 python3.13 python3.12 python3.11 python3; do
        if command -v "$candidate" >/dev/null && is_supported "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    die "Loa needs Python 3.$minimum or later, and none was found."
}

venv_works() { [ ! -e "$state/python.busy" ] && "$venv/bin/python" -c 'import pip' 2>/dev/null && done_already venv "$PWD"; }
# Debian splits what makes environments from python3 itself. Asked before anything is installed, so that a person
# without root gets one line and not two.
packages_for_python() {
    if ! venv_works && [ "$(choose_python)" = /usr/bin/python3 ] && ! /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null; then
        printf 'python3-venv\n'
    fi
}

count_packages() { # shows that something happens while pip works
    awk -v total="$1" '/^(Collecting|Requirement already)/ { if (++n % 10 == 0) { printf "set-up:   %d of about %d\n", n, total; fflush() } }' >&2
}
install_locked() {
    local lock=$1
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
        --require-hashes -r "$lock" 2>"$state/pip.log" | count_packages "$(grep -c '==' "$lock")" ||
        { grep -v 'is ignored: it is neither' "$state/pip.log" >&2; die "pip could not install $lock; see above."; }
}

need_python() {
    local wanted=$1 lock=requirements.txt key dev_key python
    [ "$wanted" = run ] || lock=requirements-dev.txt
    key=$(fingerprint requirements.txt)
    dev_key=$(fingerprint requirements.txt requirements-dev.txt)

    if ! venv_works; then
        python=$(choose_python) || exit 1
        "$python" -c 'import ensurepip, venv' 2>/dev/null || die "$python cannot make virtual environments (no ensurepip)."
        say "making a Python environment with $python"
        rm -rf "$venv" "$state"/{python,python-dev,project}
        "$python" -m venv "$venv"
        rm -f "$state/python.busy"
        mark_done venv "$PWD"
    fi

    if { [ "$wanted" = run ] && ! done_already python "$key"; } || { [ "$wanted" != run ] && ! done_already python-dev "$dev_key"; }; then
        say "installing Python packages from $lock"
        # An interrupted pip may leave a package that looks whole; this mark makes the next start begin anew.
        touch "$state/python.busy"
        install_locked "$lock"
        [ "$wanted" = run ] || mark_done python-dev "$dev_key"
        mark_done python "$key"
        rm -f "$state/python.busy"
    fi

    key=$(fingerprint pyproject.toml)
    if ! done_already project "$key" || [ ! -x "$venv/bin/loa" ]; then
        say "installing loa itself into the environment"
        # compat: the checkout itself goes on the path, so a room added later is found without another install.
        "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation \
            --config-settings editable_mode=compat -e . 2>"$state/pip.log" || { cat "$state/pip.log" >&2; die "pip could not install loa."; }
        mark_done project "$key"
    fi
}
