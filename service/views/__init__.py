"""What doors show: frozen values, each with one JSON shape. They hold no secrets, and nobody writes through them."""
