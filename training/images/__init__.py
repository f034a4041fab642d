"""Images: where they come from, how they are kept, and how training gets them."""
