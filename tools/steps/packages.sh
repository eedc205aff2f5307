# Step 1 of tools/setup: Debian packages, as root, with sudo, or by asking a person for one line.
# shellcheck shell=bash

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}
apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 "$@" 9>&-; }
# --no-remove: rather stop than take another sound server or browser away from this machine.
apt_install() { apt install -y --no-install-recommends --no-remove "$@"; }

need_packages() {
    local missing=() wanted word command
    command -v dpkg-query >/dev/null || die "This set-up knows Debian 12 or later. Elsewhere, install these by hand: $*"
    for wanted in "$@"; do
        case $(dpkg-query -W -f='${db:Status-Status}' "$wanted" 2>/dev/null || true) in
            installed) ;;
            *) missing+=("$wanted") ;;
        esac
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    command="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    if [ "$(id -u)" != 0 ] && ! { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; }; then
        word="su -c"
        command -v sudo >/dev/null && word="sudo sh -c"
        die "Some system packages are missing and need root. Run this once, then start again:" "  $word '$command'"
    fi
    say "installing system packages: ${missing[*]}"
    if apt-cache show "${missing[@]}" >/dev/null 2>&1 && apt_install "${missing[@]}" >"$state/apt.log" 2>&1; then return 0; fi
    say "  asking for the newest package lists"
    apt update >"$state/apt.log" 2>&1 || { cat "$state/apt.log" >&2; die "apt-get update failed; see above."; }
    apt_install "${missing[@]}" >>"$state/apt.log" 2>&1 || { tail -n 20 "$state/apt.log" >&2; die "apt-get install failed; see above."; }
}
