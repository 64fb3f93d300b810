"""The REST API, version 1: bearer tokens, JSON lists `{"items": […], "total": N}`, problems."""
