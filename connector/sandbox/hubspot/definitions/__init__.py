"""What there can be in a portal: object types, properties, pipelines, owners, associations."""
