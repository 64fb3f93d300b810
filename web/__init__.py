"""The panel and the REST API: a Flask application made by `create_app`."""
