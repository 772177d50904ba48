"""The application master: brings TaskManagers up, knows each by its grant and its registration, runs the job, answers REST."""
