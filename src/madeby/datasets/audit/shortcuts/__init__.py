"""Whether the classes can be told apart by what has nothing to do with how a picture was made."""
