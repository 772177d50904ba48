"""Options: the defaults file, the only code that reads configuration, and the Hadoop XML that the mini cluster and docker-compose share."""
