"""Compile the inner loops of scoring when a wheel is built or the project is installed for development.

Where there is no C compiler, or HTXSEARCH_PURE is set, the package is built without them: the same loops are there in numpy
(`htxsearch.engine.whoosh.kernel`).
"""

import os
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext

FOLDER = Path("src/htxsearch/engine/whoosh")
NAME = "_kernel"


class KernelHook(BuildHookInterface):
    """Adds the compiled kernel to a wheel, for this platform and every Python from 3.11 on."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the kernel beside its source; say so and go on without it if that fails."""
        folder = Path(self.root) / FOLDER
        if version == "editable":
            for old in (*folder.glob(f"{NAME}*.so"), *folder.glob(f"{NAME}*.pyd")):
                old.unlink()  # of another source, perhaps
        if os.environ.get("HTXSEARCH_PURE"):
            return
        try:
            compiled = compile_kernel(folder)
        except Exception as error:  # a compiler may fail in any way: none of them may stop the installation
            self.app.display_warning(f"no compiled kernel, that in numpy is used: {error}")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform}"
        build_data["artifacts"].append(f"/{FOLDER.as_posix()}/{compiled.name}")


def compile_kernel(folder: Path) -> Path:
    """Compile `_kernel.c` in a folder and return the file made beside it. Raises what setuptools raises."""
    exact = (
        [] if os.name == "nt" else ["-O2", "-ffp-contract=off"]
    )  # the results of numpy, on processors with fused additions too
    source = Extension(NAME, [str(folder / f"{NAME}.c")], extra_compile_args=exact, py_limited_api=True)
    with tempfile.TemporaryDirectory() as work:
        command = build_ext(Distribution({"ext_modules": [source]}))
        command.build_temp, command.build_lib = work, str(folder)
        command.ensure_finalized()
        command.run()
        return Path(command.get_ext_fullpath(NAME))
