"""What people do with files: compare, convert, describe, report, demonstrate."""
