"""Notes, a line each."""


def load(path):
    with open(path) as file:
        return file.read().split("\n")


def save(path, notes):
    with open(path, "w") as file:
        file.write("\n".join(notes))
