"""The ResourceManager's REST, asked at whichever of its addresses answers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from client.errors import ENVIRONMENT, ClientError
from client.hadoop import rest
from client.yarn import application_details, cluster
from client.yarn.application_details import ApplicationDetails

if TYPE_CHECKING:
    from client.yarn.application_containers import Container
    from client.yarn.waiting_facts import WaitingFacts

logger = logging.getLogger(__name__)


class ResourceManager:
    """Reads the cluster and its applications; needs no JVM and holds no connection."""

    def __init__(self, urls: Sequence[str], user: str, timeout_s: float = rest.TIMEOUT_S) -> None:
        self._urls = [url.rstrip("/") for url in urls]
        self._user = user
        self._timeout_s = timeout_s

    def view(self) -> cluster.ClusterView:
        """Returns what the preflight needs.

        Raises:
            ClientError: when no address answers.
        """
        try:
            info, nodes, scheduler = (self._get(path) for path in ("info", "nodes?states=RUNNING", "scheduler"))
        except rest.RestError as error:
            raise self.unreachable(error) from error
        view = cluster.view(info, nodes, scheduler, self._if_told("metrics"))
        if not any(node.labels for node in view.nodes):
            return view
        return cluster.view(info, nodes, scheduler, self._if_told("metrics"), self._if_told("get-node-labels"))

    def use(self) -> cluster.ClusterView:
        """Returns the nodes and queues alone, with what is used of them: two requests.

        Raises:
            ClientError: when no address answers.
        """
        try:
            return cluster.view(None, self._get("nodes?states=RUNNING"), self._get("scheduler"), None)
        except rest.RestError as error:
            raise self.unreachable(error) from error

    def report(self, application: str) -> cluster.ApplicationReport:
        """Returns YARN's view of an application.

        Raises:
            rest.RestError: when no address answers, with status 404 when the application is unknown.
        """
        return cluster.report(self._get(f"apps/{application}"))

    def details(self, application: str) -> ApplicationDetails:
        """Returns all that YARN knows of an application.

        Raises:
            rest.RestError: as `report`.
        """
        return application_details.details(self._get(f"apps/{application}")["app"])

    def applications(self, states: Sequence[str], user: str | None) -> tuple[ApplicationDetails, ...]:
        """Returns Treadle's applications in one of `states`, the latest first; everybody's when `user` is None.

        Raises:
            ClientError: when no address answers.
        """
        query = {"applicationTags": application_details.TAG, "states": ",".join(states)} | ({"user": user} if user is not None else {})
        try:
            return application_details.applications(self._get(f"apps?{urlencode(query)}"))
        except rest.RestError as error:
            raise self.unreachable(error) from error

    def containers(self, application: str) -> tuple[Container, ...]:
        """Returns the containers of an application that run now, those of all its attempts.

        Raises:
            rest.RestError: as `report`.
        """
        from client.yarn import application_containers

        attempts = application_containers.attempts(application, self._get(f"apps/{application}/appattempts"))
        trees = [self._get(f"apps/{application}/appattempts/{attempt}/containers") for attempt in attempts]
        return tuple(container for tree in trees for container in application_containers.containers(tree))

    def master_container(self, application: str) -> Container | None:
        """Returns the application master's container, None while it has none.

        Raises:
            rest.RestError: as `report`.
        """
        from client.yarn import application_containers

        return application_containers.of_master(self._get(f"apps/{application}")["app"])

    def master_address(self, application: str) -> str:
        """Returns the `host:port` at which skein's application master listens, empty while there is none.

        Raises:
            rest.RestError: as `report`.
        """
        return str(self._get(f"apps/{application}")["app"].get("amRPCAddress") or "")

    def log_aggregation(self, application: str) -> str:
        """Returns how far YARN is with collecting an application's logs (`LogAggregationStatus`), empty when it doesn't say.

        Raises:
            rest.RestError: as `report`.
        """
        return str(self._get(f"apps/{application}")["app"].get("logAggregationStatus") or "")

    def waiting(self, application: str) -> WaitingFacts:
        """Returns what bears on an application's wait for containers.

        Raises:
            rest.RestError: as `report`.
        """
        from client.yarn import waiting_facts

        app, scheduler, nodes = (self._get(path) for path in (f"apps/{application}", "scheduler", "nodes"))
        return waiting_facts.facts(app, scheduler, nodes)

    def kill(self, application: str) -> None:
        """Asks the ResourceManager to kill an application.

        Raises:
            rest.RestError: when it refuses, as it does where web requests are not authenticated, or does not answer.
        """
        url = f"{self._urls[0]}/ws/v1/cluster/apps/{application}/state?user.name={quote(self._user)}"
        rest.put_json(url, {"state": "KILLED"})

    def proxy(self, application: str) -> str:
        """Returns the address of an application's pages behind the ResourceManager's own proxy, without a slash at its end."""
        return f"{self._urls[0]}/proxy/{application}"

    def unreachable(self, error: rest.RestError) -> ClientError:
        """Returns the error for a ResourceManager that does not answer as one."""
        return ClientError(
            f"the ResourceManager does not answer at {', '.join(self._urls)}: {error.reason}",
            "start it, or set HADOOP_CONF_DIR to a directory whose yarn-site.xml names one that runs (yarn.resourcemanager.webapp.address)",
            ENVIRONMENT,
        )

    def _if_told(self, path: str) -> Any:
        try:
            return self._get(path)
        except rest.RestError as error:
            logger.debug("%s is not told: %s", path, error)
            return None

    def _get(self, path: str) -> Any:
        """Asks each address in turn, and keeps the one that answered in front."""
        failure: rest.RestError | None = None
        for url in list(self._urls):
            try:
                tree = rest.get_json(f"{url}/ws/v1/cluster/{path}", self._timeout_s)
            except rest.RestError as error:
                failure = failure if failure is not None and error.status is None else error
                continue
            self._urls.remove(url)
            self._urls.insert(0, url)
            return tree
        raise failure or rest.RestError("", "no address of a ResourceManager is configured")
