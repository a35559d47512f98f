"""The durable runs, one file each, and the engine that carries them."""
