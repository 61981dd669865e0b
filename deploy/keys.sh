#!/usr/bin/env bash
# Makes what compose.yaml keeps secret, in deploy/secrets. What is there already stays.
#
#     deploy/keys.sh [NAME]      and a key for the caller NAME; `team` by default
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# The folder is its owner's alone; the files in it are read by the containers' users.
mkdir -p secrets && chmod 700 secrets

made() { [ -e "secrets/$1" ] || cat >"secrets/$1"; }
random() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }

{ random && echo; } | made state-keys
random | tr -d '/+=' | made store-password
printf '%s\n' "requirepass $(cat secrets/store-password)" 'save ""' 'appendonly no' 'dir /tmp' 'protected-mode no' \
    'maxmemory 64mb' 'maxmemory-policy noeviction' | made store.conf
printf '' | made linear-api-key
if [ ! -e secrets/api-keys ]; then
    key="mcp_$(random | tr '/+' '_-' | tr -d '=')"
    printf '%s sha256:%s\n' "${1:-team}" "$(printf %s "$key" | sha256sum | cut -d ' ' -f 1)" >secrets/api-keys
    echo "The key of ${1:-team}, which is shown only now: $key"
fi
chmod 444 secrets/*
[ -s secrets/linear-api-key ] || echo 'Write the credential of Linear to deploy/secrets/linear-api-key, or set SANDBOX=true.'
