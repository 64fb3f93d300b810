"""The lab: real Asterisk, PostgreSQL, sipp and scripted phones, all on loopback."""
