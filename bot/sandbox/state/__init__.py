"""What is in the workspace: plain data, what changed, and the states of inputs. No network."""
