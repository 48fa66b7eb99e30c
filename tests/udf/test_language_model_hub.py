"""Hub models against a small server on this machine that answers as the Hugging Face hub does."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.udf import tiny_models

pytest.importorskip("torch")
pytest.importorskip("huggingface_hub")
ROOT = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def server(tmp_path):
    """The address of a hub that has owner/tiny at revision step1, and the paths that it was asked for."""
    folder = tiny_models.save(tmp_path / "published", "gpt_neox")
    (folder / "pytorch_model.bin").write_bytes(b"never to be downloaded")
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            path = self.path.split("?")[0]
            asked.append(path)
            if path == "/api/models/owner/tiny/revision/step1":
                siblings = [{"rfilename": entry.name} for entry in folder.iterdir()]
                self.reply(json.dumps({"id": "owner/tiny", "sha": COMMIT, "siblings": siblings}).encode(), body)
            elif path.startswith("/api/models/owner/tiny/tree/"):
                entries = [
                    {"type": "file", "path": entry.name, "size": entry.stat().st_size, "oid": COMMIT}
                    for entry in folder.iterdir()
                ]
                self.reply(json.dumps(entries).encode(), body)
            elif path.startswith("/owner/tiny/resolve/") and (folder / path.rsplit("/", 1)[1]).is_file():
                self.reply((folder / path.rsplit("/", 1)[1]).read_bytes(), body)
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RevisionNotFound" if "owner/tiny" in path else "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def reply(self, content: bytes, body: bool) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    hub = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{hub.server_port}", asked
    hub.shutdown()
    hub.server_close()


def run(program: str, endpoint: str, tmp_path: Path) -> list[str]:
    """The lines that a program prints, in a process of its own, as huggingface_hub reads its settings on import."""
    environment = os.environ | {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_hub_model_is_described_without_its_weights_and_then_scored(server, tmp_path):
    endpoint, asked = server
    program = """
from memtax.errors import SourceError
from memtax.models import describe_model
found = describe_model("owner/tiny", "step1")
print(found.location, found.is_hub, found.checksum, found.vocabulary_size, found.n_parameters)
for location, revision in (("owner/tiny", "step2"), ("owner/absent", "main")):
    try:
        describe_model(location, revision)
    except SourceError as error:
        print(error)
"""
    lines = run(program, endpoint, tmp_path)
    assert lines[0] == f"owner/tiny True commit:{COMMIT} 97 23360" and len(lines) == 3
    assert "'owner/tiny' at revision 'step2'" in lines[1] and "'owner/absent' at revision 'main'" in lines[2]
    assert not any("safetensors" in path for path in asked)

    program = """
from udf.language_model.loading import using_model
with using_model("owner/tiny", "step1", "float32") as model:
    print(model.name, model.vocabulary_size)
"""
    assert run(program, endpoint, tmp_path) == ["owner/tiny@step1 97"]
    assert any("safetensors" in path for path in asked) and not any("pytorch_model" in path for path in asked)
