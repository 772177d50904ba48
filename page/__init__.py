"""The page that shows an application: live from its master, or as one file made of its history."""
