"""From a folder of runs to one page that a person reads, looks at and listens to; no torch anywhere."""
