"""The second opinion on what a record says: a sentence encoder, and a small head for each check. Offline and optional:
without the encoder the rules decide alone, and findings say so."""
