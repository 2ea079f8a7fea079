"""Build hook: compiles the kernels where it can, and ships the data-set cards inside the wheel.

The kernels use the LibTorch stable ABI: one build serves torch 2.11 and every later version. Nothing here imports
torch, whose headers are found in the environment that the package is installed into. Where something is missing the
package installs without kernels, and ``graphlab doctor`` says why.

Environment:
    GRAPHLAB_EXT: ``auto`` (default), ``0`` for no compiled code at all, ``1`` to fail where it cannot be built.
    GRAPHLAB_CUDA: ``auto`` (default: where nvcc and a CUDA build of torch are found), ``0``, ``1``.
    GRAPHLAB_CUDA_ARCH: Architectures of the CUDA kernels, ``80;90;100`` by default.
"""

import json
import os
import shutil
import site
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
TARGET = "0x020b000000000000"  # torch 2.11
STATUS = "_build.json"


def choice(name: str) -> str:
    """Read one of the environment's switches."""
    value = os.environ.get(name, "auto")
    if value not in ("0", "1", "auto"):
        raise SystemExit(f"{name} must be 0, 1 or auto, got {value!r}")
    return value


def find_torch() -> Path | None:
    """Find the torch whose headers to build with, without importing it."""
    folders = sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *sys.path, site.getusersitepackages()
    for folder in folders:
        torch = Path(folder or ".") / "torch"
        if (torch / "include" / "torch" / "csrc" / "stable").is_dir():
            return torch
    return None


def is_fresh(built: Path) -> bool:
    """Tell whether an object file is newer than all that it was made from, as the compiler noted beside it."""
    notes = built.with_suffix(".d")
    if not (built.exists() and notes.exists()):
        return False
    needs = [Path(word) for word in notes.read_text().replace("\\\n", " ").split()[1:]]
    made = built.stat().st_mtime
    return all(p.exists() and p.stat().st_mtime < made for p in [*needs, ROOT / "setup.py"])


class BuildWithCards(build_py):
    """Copies the cards, which live beside the package so that a person finds them, into it."""

    def run(self) -> None:
        """Build the Python files, then add the cards (an editable install reads them in place)."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "graphlab" / "datasets"
        target.mkdir(parents=True, exist_ok=True)
        for card in Path("datasets").glob("*.toml"):
            shutil.copy2(card, target / card.name)


class BuildKernels(build_ext):
    """Compiles what can be compiled, and leaves a note of what came of it beside the package's modules."""

    def run(self) -> None:
        """Build both libraries; a failure ends the installation only where it was demanded."""
        status, inplace = {}, self.inplace
        for name, switch, build in (
            ("_C", "GRAPHLAB_EXT", self._build_c),
            ("_CUDA", "GRAPHLAB_CUDA", self._build_cuda),
        ):
            # What an earlier build left must not pass for this one's.
            self._forget(name)
            try:
                status[name] = "off: GRAPHLAB_EXT=0" if choice("GRAPHLAB_EXT") == "0" else build()
            except Exception as error:  # whatever it is, the package works without
                if choice(switch) == "1":
                    raise
                missing = f"no compiler was found ({error.filename})" if isinstance(error, FileNotFoundError) else error
                status[name] = f"not built: {missing}"
                self.inplace = inplace  # a build that fails leaves it at 0
            print(f"graphlab kernels {name}: {status[name]}", file=sys.stderr)
        self._folder().mkdir(parents=True, exist_ok=True)
        (self._folder() / STATUS).write_text(json.dumps(status, indent=1) + "\n")

    def _folder(self) -> Path:
        return ROOT / "graphlab" if self.inplace or self.editable_mode else Path(self.build_lib) / "graphlab"

    def _forget(self, name: str) -> None:
        for folder in {self._folder(), Path(self.build_lib) / "graphlab"}:
            for library in folder.glob(f"{name}.*"):
                library.unlink()

    def get_outputs(self) -> list[str]:
        """List what was made, for the wheel's record."""
        return [str(p) for p in self._folder().glob("_*") if p.suffix in (".so", ".json", ".pyd")]

    def _torch(self) -> Path:
        torch = find_torch()
        if torch is None:
            raise RuntimeError("no torch was found at build time; install torch >= 2.11 first, then graphlab again")
        return torch

    def _build_c(self) -> str:
        torch = self._torch()
        (extension,) = self.extensions
        extension.include_dirs = [str(torch / "include")]
        extension.library_dirs = [str(torch / "lib")]
        extension._needs_stub = False
        super().run()
        return "built"

    def build_extension(self, ext: Extension) -> None:
        """Compile the sources side by side: the compiler spends its time in the templates of each op."""

        def compile_one(source: str) -> list[str]:
            made = self.compiler.object_filenames([source], output_dir=self.build_temp)
            if not self.force and all(is_fresh(Path(o)) for o in made):
                return made
            standard = ["-std=c++20"] if source.endswith(".cpp") else []
            return self.compiler.compile(
                [source],
                output_dir=self.build_temp,
                macros=ext.define_macros,
                include_dirs=ext.include_dirs,
                extra_postargs=[*ext.extra_compile_args, *standard],
            )

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = [o for made in pool.map(compile_one, ext.sources) for o in made]
        self.compiler.link_shared_object(
            objects,
            self.get_ext_fullpath(ext.name),
            libraries=self.get_libraries(ext),
            library_dirs=ext.library_dirs,
            extra_postargs=ext.extra_link_args,
            build_temp=self.build_temp,
            target_lang="c++",
        )

    def _build_cuda(self) -> str:
        torch, nvcc = self._torch(), shutil.which("nvcc")
        if choice("GRAPHLAB_CUDA") == "0":
            return "off: GRAPHLAB_CUDA=0"
        sources = sorted(str(p) for p in (ROOT / "cuda").glob("*.cu"))
        if nvcc is None:
            raise RuntimeError("nvcc was not found")
        if choice("GRAPHLAB_CUDA") == "auto" and not any((torch / "lib").glob("libtorch_cuda.*")):
            return "off: the installed torch has no CUDA; GRAPHLAB_CUDA=1 builds all the same"
        target = self._folder() / "_CUDA.so"
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([nvcc, *cuda_flags(torch), *sources, "-o", str(target)], check=True)
        return "built"


def cuda_flags(torch: Path) -> list[str]:
    """Give nvcc's arguments: a library that loads on a torch without CUDA too.

    Args:
        torch: The torch package's folder.
    """
    architectures = os.environ.get("GRAPHLAB_CUDA_ARCH", "80;90;100").split(";")
    code = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in architectures]
    return [
        *("-std=c++20", "-O3", "-shared", "--threads", "0", "-Xcompiler", "-fPIC,-fvisibility=hidden", *code),
        *(f"-DTORCH_TARGET_VERSION={TARGET}", f"-I{torch / 'include'}", f"-L{torch / 'lib'}"),
        *("-Xlinker", "--no-as-needed", "-ltorch_cpu", "-ltorch", "-cudart", "static"),
    ]


def c_extension() -> Extension:
    """Describe the CPU library: all schemas and the CPU kernels."""
    sources = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "cuda").glob("*.cpp"))
    linux = sys.platform.startswith("linux")
    return Extension(
        "graphlab._C",
        [*sources, "cuda/module.c"],
        define_macros=[("TORCH_TARGET_VERSION", TARGET), ("Py_LIMITED_API", "0x030b0000")],
        # Without the last two a comparison or a square root may set flags that nobody reads, and is not vectorised.
        extra_compile_args=["-O3", "-g0", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math", "-MMD"],
        extra_link_args=["-s", "-Wl,--no-as-needed", "-ltorch_cpu", "-ltorch"] if linux else ["-ltorch_cpu", "-ltorch"],
        py_limited_api=True,
    )


if __name__ == "__main__":  # tests read the compilers' arguments from here
    setup(
        ext_modules=[c_extension()],
        cmdclass={"build_py": BuildWithCards, "build_ext": BuildKernels},
        options={"bdist_wheel": {"py_limited_api": "cp311"}},
    )
