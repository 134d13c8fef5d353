"""A real cluster for tests: the one that HTXSEARCH_TEST_CLUSTER names, as scripts/test-cluster does."""

import os
import uuid
from collections.abc import Callable

import pytest

from htxsearch.engine.opensearch.address import Address, Secrets, parse_address
from htxsearch.engine.opensearch.cluster import Cluster, connect
from htxsearch.engine.opensearch.engine import OpenSearchEngine

__all__ = ["VARIABLE", "ClusterIndex", "cluster_address"]

VARIABLE = "HTXSEARCH_TEST_CLUSTER"


def cluster_address() -> Address:
    """Return the address of the cluster with a new name; skip the test if there is none."""
    url = os.environ.get(VARIABLE)
    if not url:
        pytest.skip(f"needs a cluster: make test-cluster, or {VARIABLE}=http://host:port/NAME")
    address = parse_address(url)
    return Address(address.hosts, f"test-{uuid.uuid4().hex[:12]}", address.user, address.is_secure)


class ClusterIndex:
    """An index of a new name in the cluster; `remove` takes it away."""

    def __init__(self, connected: Callable[[Address, Secrets | None], Cluster] = connect) -> None:
        self.address = cluster_address()
        self.cluster = connected(self.address, None)
        self._engines = 0

    def engine(self, *, shards: int = 1, rough: bool = False) -> OpenSearchEngine:
        """Return an engine without documents."""
        self._engines += 1
        return OpenSearchEngine(self.cluster, f"data-{self._engines}", create=True, shards=shards, rough=rough)

    def remove(self) -> None:
        """Delete all that was stored."""
        names = [f"{self.address.name}-state"]
        names += [f"{self.address.name}-data-{at}{end}" for at in range(1, self._engines + 1) for end in ("", "-words")]
        self.cluster.request("DELETE", f"/{','.join(names)}", ignore_unavailable="true")
