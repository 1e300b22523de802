"""State without behaviour: who lives here, who knows whom, what is open, who waits, what was paid."""
