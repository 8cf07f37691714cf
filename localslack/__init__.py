"""A Slack for the laptop: Web API, Socket Mode, signed HTTP and a page in the browser."""
