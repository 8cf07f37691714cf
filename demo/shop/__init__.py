"""The shop that the demo breaks and repairs; imports nothing from the bot."""
