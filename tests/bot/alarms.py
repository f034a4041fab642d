"""Keeps what the admins would be told of errors."""


class Alarms:
    def __init__(self):
        self.told = []

    def error(self, doing, error, code):
        self.told.append((doing, error))

    def too_slow(self, doing, reason):
        self.told.append((doing, reason))
