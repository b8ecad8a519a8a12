"""Code strings to bytes that explain themselves, and back."""
