class Refused(ValueError):  # noqa: N818 - it is raised to say so: raise Refused(key, why)
    """A value that a component cannot take; `key` is the key of its table that is at fault.

    A component raises it where it is built, so that the recipe's author is shown the line that says the value.

    >>> Refused("alpha", "alpha must be above 0, got -1").key
    'alpha'
    """

    def __init__(self, key: str, what: str) -> None:
        super().__init__(what)
        self.key = key
