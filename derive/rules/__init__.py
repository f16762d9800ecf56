"""Laws by which derived expressions are brought to the form that a textbook prints."""
