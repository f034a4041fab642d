"""The same bits every time: how a process is prepared, and how a recorded trial is checked."""
