"""The encoder's choices. Nothing here is needed for reading."""
