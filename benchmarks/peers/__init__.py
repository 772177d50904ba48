"""What Treadle is measured against, each started the way its own documentation says."""
