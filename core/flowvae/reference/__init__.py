"""What can be said of recipes and components without running them: pages for people, a schema for editors."""
