"""The actions: plugins that change something, one file for each system."""
