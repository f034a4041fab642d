"""Every number of the report, as data: what the computing hands to the drawing."""
