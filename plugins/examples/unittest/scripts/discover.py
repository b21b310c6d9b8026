"""Finds the tests, and writes a line of JSON for each to a file: what modules print while they are imported cannot get between."""

import inspect


def described(name, test, file):
    """A test as the plugin is told of it."""
    kind = "{}.{}".format(type(test).__module__, type(test).__qualname__)
    # Tests that are no methods, such as doctests, are called after something else.
    is_method = name.startswith(kind + ".")
    return {
        "id": name,
        "file": file,
        "line": line_of(test, file) if is_method else None,
        "classname": kind if is_method else None,
        "name": name[len(kind) + 1 :] if is_method else None,
    }


def line_of(test, file):
    """The line on which the test's method begins, if it is in this file: it may be inherited from another one."""
    try:
        code = inspect.unwrap(getattr(test, test._testMethodName)).__code__
    except (AttributeError, ValueError):
        return None
    return code.co_firstlineno if from_here(code.co_filename) == file else None


def discover(settings, path):
    tests, stand_ins = load(settings)
    entries = [{"test": described(name, test, file)} for name, (test, file) in tests.items()]
    names = dict.fromkeys(tests)
    for stand_in in stand_ins:
        # It is named after the module that it stands in for.
        name = unlike(text(stand_in.id()).split(".", 3)[-1], names)
        names[name] = None
        status, message, details = outcome_of(stand_in)
        entries.append({"problem": {"id": name, "status": status, "message": message, "details": details}})
    entries.append({"whole": True})
    with open(path, "w", encoding="ascii") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in entries)


discover(*ARGUMENTS)
