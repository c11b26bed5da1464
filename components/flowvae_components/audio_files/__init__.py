"""Files of other people, found, opened, decoded and brought to a format."""
