#!/usr/bin/env bash
# Creates the virtual environment named as the first argument, with Rambla, its extras and the tools for its tests.
set -euo pipefail
venv=${1:?usage: setup.sh VENV}
python=${PYTHON:-python3}

die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

[ -w . ] || die "$(id -un) may not write in $PWD. Fix: clone into a folder of your own"
command -v "$python" >/dev/null || die "there is no $python. Fix: apt-get install python3 python3-venv, or make setup PYTHON=/path/to/python3.11"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  die "Python 3.11 or newer is needed (found: $("$python" -V 2>&1)). Fix: make setup PYTHON=/path/to/python3.11"
"$python" -c 'import ensurepip' 2>/dev/null ||
  die "Python's venv module is missing. Fix: apt-get install python3-venv"

# Without pip it is half a venv, left by a start that was cut short.
[ -x "$venv/bin/pip" ] || { echo "setup: creating $venv"; "$python" -m venv --clear "$venv"; }
echo "setup: installing Rambla, Swift and the test tools (about a minute the first time)"
"$venv/bin/pip" install --quiet --disable-pip-version-check --editable '.[swift,postgres,local,ldap,oidc,demo,test,check]'
echo "setup: done"
