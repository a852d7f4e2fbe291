"""Where bytes come from and go to, and images of other formats."""
