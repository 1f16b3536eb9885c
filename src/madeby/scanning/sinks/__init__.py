"""Where results go: one file a format. All write as they receive and lose nothing already written."""
