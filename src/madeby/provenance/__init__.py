"""What a picture's file says about who made it: one file a signal."""
