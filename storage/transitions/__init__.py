"""The only code that changes a study. A function that takes a store is one transaction, with the rules of the study."""
