"""What a labelled data set gives away before any training: leaks, conflicts, imbalance and shortcuts."""
