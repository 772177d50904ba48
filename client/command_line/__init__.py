"""From the words of a `submit run` to what is wanted, with all that is wrong with them."""
