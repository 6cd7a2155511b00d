#!/usr/bin/env bash
# Installs OpenStack services beside the platform, into FOLDER/venv, to compare decisions with the real oslo.policy, and
# what serves a real Keystone (cheroot) with a real Swift behind it.
# Beware of names: placement and adjutant on PyPI are not OpenStack's.
set -euo pipefail
folder=${1:?usage: openstack.sh FOLDER few|all}
which=${2:?usage: openstack.sh FOLDER few|all}
python=${PYTHON:-python3}

few=('oslo.policy>=6.0.1' 'keystone>=30' 'nova>=34' 'glance>=33'
  'cheroot>=10' 'keystonemiddleware>=10.9' 'swift>=2.35')
all=("${few[@]}" 'neutron>=29' 'cinder>=29' 'openstack-heat>=27' 'octavia>=19' 'manila>=23' 'barbican>=23'
  'designate>=23' 'ironic>=39' 'magnum>=23' 'openstack-placement>=16')
case $which in
few) packages=("${few[@]}") ;;
all) packages=("${all[@]}") ;;
*) echo "usage: openstack.sh FOLDER few|all" >&2; exit 2 ;;
esac

mkdir -p "$folder"
[ -x "$folder/venv/bin/pip" ] || "$python" -m venv --clear "$folder/venv"
echo "openstack: installing ${#packages[@]} packages and what they need (some minutes the first time)"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
rm -rf "$folder"/rules-*.json "$folder/keystone-seed"
touch "$folder/.few" "$folder/.$which"
