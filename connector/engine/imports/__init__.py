"""One-off imports: what a person selected in Salesforce, or has in a file, brought over now."""
