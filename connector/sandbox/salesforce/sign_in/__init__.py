"""Who is calling: credentials, sessions, and the ways to get one."""
