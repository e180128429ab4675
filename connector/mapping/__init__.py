"""From YAML files that an administrator can read to the rules the core works with. Pure: no network, no store."""
