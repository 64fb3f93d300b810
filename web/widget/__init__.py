"""The callback button on other web sites: its script, and the two addresses that it talks to."""
