"""What people and time do to the study, and what follows from it. It knows no view."""
