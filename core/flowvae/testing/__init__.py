"""What a component must do, as checks that anyone can run on their own."""
