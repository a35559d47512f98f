"""Events from outside: taken in, kept, handled, shown, handled again."""
