"""What people do to the study, what time does to it, and the reactions. This folder knows no view."""
