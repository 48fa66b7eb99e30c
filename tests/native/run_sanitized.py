"""Build the native modules with the address and undefined-behaviour sanitizers and run the tests of the kernels on them.

    python tests/native/run_sanitized.py [pytest arguments]

The build goes to build/sanitize. It is imported from there, never from an installed package: the interpreters run without
`site`, so that an editable install cannot stand in; tests/native/conftest.py makes sure.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "sanitize"


def run() -> int:
    """Build and test; the exit status of the first step that fails."""
    cmake = shutil.which("cmake", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if cmake is None:
        print("run_sanitized.py needs cmake: pip install cmake", file=sys.stderr)
        return 1
    options = ["-DMEMTAX_SANITIZE=ON", f"-DPython_EXECUTABLE={sys.executable}"]
    configure = [cmake, "-S", ROOT / "native", "-B", BUILD, *options]
    for command in (configure, [cmake, "--build", BUILD, "--parallel", str(os.cpu_count())]):
        done = subprocess.run(command, check=False)
        if done.returncode != 0:
            return done.returncode
    for module in (ROOT / "native" / "memtax_native").glob("*.py"):
        shutil.copy(module, BUILD / "memtax_native")
    site_packages = sysconfig.get_path("platlib")
    environment = os.environ | {
        # The C++ library too: the sanitizer looks for what it wraps (throwing, say) before any extension is loaded.
        "LD_PRELOAD": f"{_runtime('libasan.so')} {_runtime('libstdc++.so')}",
        # The interpreter and numpy keep memory until the end; what leaks is not asked here.
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        "PYTHONPATH": os.pathsep.join([str(BUILD), str(ROOT), site_packages]),
        "MEMTAX_NATIVE_BUILD": str(BUILD),
    }
    python = [sys.executable, "-S"]
    kernels = [ROOT / "tests" / "native", *sorted((ROOT / "tests" / "udf").glob("test_*_kernel.py"))]
    # The sanitizer prints to the process's own stderr just before it stops the process: pytest must not hold that back.
    options = ["-q", "-p", "no:cacheprovider", "--capture=sys"]
    # Two processes share the tests out, each as this one is started; tests are handed out singly, as one takes half of it all.
    options += ["--dist", "load", "--maxschedchunk=1", "--tx", f"2*popen//python={shlex.join(python)}"]
    tests = [*python, "-m", "pytest", *options, *map(str, kernels), *sys.argv[1:]]
    return subprocess.run(tests, env=environment, cwd=ROOT, check=False).returncode


def _runtime(library: str) -> str:
    """The sanitizer's run-time library of the compiler in use: the interpreter itself was built without it."""
    compiler = os.environ.get("CXX", "c++")
    command = [compiler, f"-print-file-name={library}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(run())
