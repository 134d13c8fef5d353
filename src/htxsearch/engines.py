"""The engine that holds an index: the embedded one in its folder, or a cluster.

The one module that names both. An index folder whose data are in a cluster holds what belongs to this machine: a copy of the
manifest, the text of scanned pages, vectors of passages. Without any of it the cluster answers, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from htxsearch.engine.contract import Engine, FileFault
from htxsearch.engine.whoosh import DISTRIBUTION, WhooshEngine, check_files, commit_files
from htxsearch.errors import HtxError, IndexDamaged, IndexMissing, UsageError
from htxsearch.indexing.manifest import (
    Manifest,
    address_noted,
    exists,
    new_data_folder,
    read_manifest,
    sweep,
    take_manifest,
    write_manifest,
    writer_lock,
)

if TYPE_CHECKING:  # a folder needs none of it
    from htxsearch.engine.opensearch import ClusterCatalog
    from htxsearch.indexing.update import Progress

__all__ = ["ClusterHome", "FolderHome", "Home", "OpenEngine", "home_at", "home_of", "move"]


class OpenEngine(NamedTuple):
    """The engine of the data that the manifest names."""

    data: str
    engine: Engine


class Home(Protocol):
    """Where the data of an index are."""

    address: str
    distribution: str

    def __call__(self, folder: Path, *, create: bool = False) -> Engine:
        """Return an engine of its own for the data of a folder's name.

        Raises IndexDamaged if there is none to open.
        """

    def open(self) -> OpenEngine:
        """Return the current engine, with the last commit visible. Raises as reading does."""

    def exists(self) -> bool:
        """Return True if there is an index, whatever its state."""

    def manifest(self) -> Manifest:
        """Return the current manifest. Raises as reading does."""

    def prepare(self) -> None:
        """Let the folder know what is current, before it is read or written."""

    def is_taken(self) -> bool:
        """Return True if there are data already, and no place for other ones."""

    def publish(self, manifest: Manifest) -> None:
        """Make a finished manifest known to other machines."""

    def check_files(self, folder: Path, read: Callable[[int], None]) -> Iterator[FileFault]:
        """Yield the faults of the files of an engine's folder."""

    def commit_files(self, folder: Path) -> tuple[int, list[str]]:
        """Return the last commit's number and the names of its files.

        Raises UsageError if it has none.
        """

    def close(self) -> None:
        """Let go of what is open."""


def home_of(index: Path, address: str | None = None) -> Home:
    """Return where the data of an index are: at an address, or where its folder says.

    Raises UsageError, ExtraMissing.
    """
    return home_at(index, address or address_noted(index), is_named=bool(address))


def home_at(index: Path, address: str, *, is_named: bool = True) -> Home:
    """Return the place of data at an address, or with "" in the index folder.

    Only an address that the user has named gets the secrets of the environment: a stranger's index folder may name any host.
    """
    return ClusterHome(index, address, is_named=is_named) if address else FolderHome(index)


def move(index: Path, source: Home, target: Home, progress: "Progress") -> int:
    """Copy the data of an index to another place, which is its own from then on.

    Returns the number of articles. Data in a folder are removed afterwards; a cluster keeps its own, since other machines may
    use them. Raises UsageError if there is an index at the target, IndexBusy, and the errors of both engines.
    """
    if target.address == source.address or target.is_taken():
        raise UsageError("engine.exists", address=target.address or str(index))
    source.prepare()
    with writer_lock(index):
        manifest = source.manifest()
        moved = replace(manifest, data=new_data_folder(), address=target.address, engine=target.distribution)
        from htxsearch.indexing.moving import copy_contents  # no query needs it

        former, new = source(index / manifest.data), target(index / moved.data, create=True)
        try:
            articles = copy_contents(former, new, progress)
        finally:
            former.close()
            new.close()
        target.publish(moved)
        write_manifest(index, moved)
        sweep(index, moved)
    return articles


class FolderHome:
    """Data in the index folder, with the embedded engine."""

    address = ""
    distribution = DISTRIBUTION

    def __init__(self, index: Path) -> None:
        self._index = index
        self._opened: tuple[str, WhooshEngine] | None = None

    def __call__(self, folder: Path, *, create: bool = False) -> WhooshEngine:
        try:
            return WhooshEngine(folder, create=create)
        except IndexMissing as error:
            raise IndexDamaged("index.no-contents", folder=folder) from error

    def open(self) -> OpenEngine:
        """Return the current engine, with the last commit visible."""
        data = read_manifest(self._index).data
        if self._opened is None or self._opened[0] != data:
            self.close()
            self._opened = data, self(self._index / data)
        self._opened[1].refresh()
        return OpenEngine(*self._opened)

    def exists(self) -> bool:
        """Return True if there is an index, whatever its state."""
        return exists(self._index)

    def manifest(self) -> Manifest:
        """Return the manifest of the folder."""
        return read_manifest(self._index)

    def prepare(self) -> None:
        """The folder knows."""

    def is_taken(self) -> bool:
        """Return False: new data have a folder of their own."""
        return False

    def publish(self, manifest: Manifest) -> None:
        """The folder has it."""

    def check_files(self, folder: Path, read: Callable[[int], None]) -> Iterator[FileFault]:
        """Yield the faults of the engine's files."""
        return check_files(folder, read)

    def commit_files(self, folder: Path) -> tuple[int, list[str]]:
        """Return the last commit's number and the names of its files."""
        return commit_files(folder)

    def close(self) -> None:
        """Close the engine."""
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None


class ClusterHome:
    """Data in a cluster."""

    def __init__(self, index: Path, url: str, *, is_named: bool = True) -> None:
        from htxsearch.engine.opensearch import parse_address

        self._index, self._parsed, self._is_named = index, parse_address(url), is_named
        self.address = str(self._parsed)
        self.distribution = "OpenSearch"

    @cached_property
    def _catalog(self) -> "ClusterCatalog":
        from htxsearch.engine.opensearch import ClusterCatalog, Secrets, connect

        if Secrets.from_environment().any and not (self._is_named or self._parsed.is_local):
            raise UsageError("engine.not-named", address=self.address)
        return ClusterCatalog(connect(self._parsed))

    def __call__(self, folder: Path, *, create: bool = False) -> Engine:
        try:
            return self._catalog.engine(folder.name, create=create, passages=self._passages_known() if create else 0)
        except IndexMissing as error:
            raise IndexDamaged("index.no-contents", folder=f"{self.address} ({folder.name})") from error

    def _passages_known(self) -> int:
        """Return the number of passages that new data replace, 0 if there are none."""
        try:
            return read_manifest(self._index).passages
        except HtxError:
            return 0

    def open(self) -> OpenEngine:
        """Return the current engine, with the last commit visible: one round trip."""
        data = self.manifest().data
        return OpenEngine(data, self._catalog.opened(data))

    def exists(self) -> bool:
        """Return True if there is an index, whatever its state. Raises IndexNotReadable."""
        try:
            self.manifest()
        except HtxError as error:
            if isinstance(error, IndexMissing):
                return False
            if error.code.startswith("engine."):
                raise
        return True

    def manifest(self) -> Manifest:
        """Return the manifest that the cluster has, noted in the folder, too."""
        self.prepare()
        return read_manifest(self._index)

    def prepare(self) -> None:
        """Note in the folder what is current in the cluster.

        Raises UsageError if the folder holds an index of its own.
        """
        stored = self._catalog.manifest()
        if stored is not None:
            take_manifest(self._index, stored, self.address)
        elif exists(self._index) and not address_noted(self._index):
            raise UsageError("engine.folder-taken", index=str(self._index), address=self.address)

    def is_taken(self) -> bool:
        """Return True if the cluster has an index of that name."""
        return self._catalog.manifest() is not None

    def publish(self, manifest: Manifest) -> None:
        """Make a finished manifest the current one in the cluster."""
        self._catalog.publish(manifest.stored())

    def check_files(self, folder: Path, read: Callable[[int], None]) -> Iterator[FileFault]:  # noqa: ARG002 - there is none
        """Yield nothing: the cluster looks after its files itself."""
        return iter(())

    def commit_files(self, folder: Path) -> tuple[int, list[str]]:  # noqa: ARG002 - there is none
        """Raise UsageError: a snapshot is of files."""
        raise UsageError("engine.no-files", address=self.address)

    def close(self) -> None:
        """Forget what was read."""
        if "_catalog" in self.__dict__:
            self._catalog.close()
