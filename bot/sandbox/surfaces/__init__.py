"""Messages, modals, Home tabs, and what people do with them."""
