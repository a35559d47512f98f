"""What spans projects: where somebody is needed, and how fresh figures are."""
