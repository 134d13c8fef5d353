"""The engine for what one machine cannot hold: an index in an OpenSearch cluster.

It gives the answers that `engine.contract` defines, as the embedded engine does: the cluster finds and counts, the scores of
what is shown are computed here in double precision, and a proof says that nothing better was left out.

    address     the URL of a cluster, and the secrets that open it
    cluster     requests: hosts, patience, errors
    mapping     what is kept of an article
    query       from nodes to queries of the cluster
    together    searches sent together, and what was foreseen; statistics
    retrieval   searching: candidates, exact scores, proof
    state       the state document, whose replacement is a commit
    blobs       the blobs of a commit, in parts of which only new ones are written
    writer      a batch of changes
    engine      the contract
    catalog     which data is current, for all machines

Of opensearch-py only the transport is used.
"""

from htxsearch.engine.opensearch.address import Secrets, parse_address
from htxsearch.engine.opensearch.catalog import ClusterCatalog
from htxsearch.engine.opensearch.cluster import Cluster, connect
from htxsearch.engine.opensearch.engine import OpenSearchEngine

__all__ = ["Cluster", "ClusterCatalog", "OpenSearchEngine", "Secrets", "connect", "parse_address"]
