"""The local workspace as a running server: what the app calls, what people do, and where both meet."""
