"""A bundle with the files of OpenStack services, few and small."""

DEFAULTS = """\
- {name: admin_required, check_str: "role:admin"}
- {name: "identity:get_user", check_str: "rule:admin_required or user_id:%(target.user.id)s"}
- {name: "identity:list_users", check_str: "rule:admin_required", scope_types: [system], description: for people}
- name: "identity:revoke_token"
  check_str: "role:manager"
  scope_types: null
  deprecated: {name: "identity:revoke", check_str: "role:admin"}
"""
POLICY = """\
"identity:list_users": "role:reader"
"""
SITE = 'layer: site\nrules:\n  package:list: {mode: extend, deny: caller.source == "key"}\n'
FILES = {
    "site.yaml": SITE,
    "openstack/keystone/defaults.yaml": DEFAULTS,
    "openstack/keystone/policy.yaml": POLICY,
    "openstack/keystone/policy.d/10-auditors.yaml": '"identity:list_users": "role:auditor"\n',
    "openstack/ironic.api/defaults.yaml": '- {name: "baremetal:node:get", check_str: "role:reader"}\n',
}
