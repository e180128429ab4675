"""From YAML files that an administrator can read to the rules of the core. No network, no store."""
