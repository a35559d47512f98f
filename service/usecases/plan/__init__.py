"""The one place where plans are made, whatever they are for. Reads only."""
