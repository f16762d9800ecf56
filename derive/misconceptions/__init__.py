"""What goes wrong in derivations, and which of it explains an answer."""
