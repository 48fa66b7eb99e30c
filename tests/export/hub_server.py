"""A small server on this machine that speaks the part of the hub's protocol that an upload and a download use."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_madeForTheTest0123456789"


@dataclass
class HubState:
    """What the server holds, and the faults that it is told to make."""

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)
    commits: int = 0
    cut_after_uploads: int | None = None
    status_of_create: int | None = None
    status_of_commit: int | None = None
    # What was asked of published files: path, first byte, and bytes that were sent.
    sent: list[tuple[str, int, int]] = field(default_factory=list)
    # Path -> after how many bytes of each answer the connection is cut, for as many answers as the list has.
    cuts: dict[str, list[int]] = field(default_factory=dict)

    def publish(self, repository: str, files: dict[str, bytes]) -> None:
        """Hold a dataset that everybody may read."""
        self.repositories[repository] = files
        self.private[repository] = False


class HubServer:
    """The server, on a port of its own."""

    def __init__(self) -> None:
        self.state = HubState()
        self.uploading = threading.Lock()
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        state = self.hub.state
        asks = self.path.startswith("/api/") or "/info/lfs" in self.path
        if asks and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._json({"error": "Invalid credentials"}, 401)
        if self.path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if self.path == "/api/repos/create":
            return self._create(json.loads(body))
        if match := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/preupload/main", self.path):
            files = json.loads(body)["files"]
            modes = [{"path": f["path"], "uploadMode": "lfs" if f["path"].endswith(".parquet") else "regular",
                      "shouldIgnore": False, "oid": None} for f in files]  # fmt: skip
            return self._json({"files": modes})
        if match := re.fullmatch(r"/datasets/([^/]+/[^/]+)\.git/info/lfs/objects/batch", self.path):
            return self._json({"transfer": "basic", "objects": [self._lfs(o) for o in json.loads(body)["objects"]]})
        if match := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/commit/main", self.path):
            if state.status_of_commit:
                return self._json({"error": "refused"}, state.status_of_commit)
            return self._commit(match[1], body)
        if "/verify" in self.path:
            return self._json({})
        return self._json({"error": self.path}, 404)

    def do_PUT(self) -> None:
        # One after the other, so that the upload after which the connection is cut has arrived whole by then.
        with self.hub.uploading:
            self._put()

    def _put(self) -> None:
        state = self.hub.state
        if state.cut_after_uploads is not None and len(state.uploads) >= state.cut_after_uploads:
            self.close_connection = True
            self.connection.close()
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        oid = self.path.rsplit("/", 1)[1]
        assert hashlib.sha256(body).hexdigest() == oid
        state.objects[oid] = body
        state.uploads.append(oid)
        self._json({})

    def do_HEAD(self) -> None:
        self._resolve(urllib.parse.unquote(self.path.partition("?")[0]))

    def do_GET(self) -> None:
        path = urllib.parse.unquote(self.path.partition("?")[0])
        if "/resolve/" in path:
            return self._resolve(path)
        asked = re.match(r"/api/datasets/([^/]+/[^/]+)", path)
        public = asked is not None and self.hub.state.private.get(asked[1]) is False
        if not public and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._json({"error": "Invalid credentials"}, 401)
        match = re.match(r"/api/datasets/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+))?", path)
        if match and match[1] in self.hub.state.repositories:
            files = self.hub.state.repositories[match[1]]
            if match[2] == "tree":
                return self._json(
                    [{"type": "file", "path": p, "size": len(c), "oid": "0" * 40} for p, c in files.items()]
                )
            listed = [{"rfilename": name} for name in files]
            info = {"id": match[1], "sha": "a" * 40, "private": self.hub.state.private[match[1]], "siblings": listed,
                    "tags": [], "downloads": 0, "likes": 0}  # fmt: skip
            return self._json(info)
        return self._json({"error": "Repository not found"}, 404)

    def _resolve(self, path: str) -> None:
        """A published file, or the rest of it from the byte that a Range asks for."""
        match = re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path)
        content = self.hub.state.repositories.get(match[1], {}).get(match[2]) if match else None
        if match is None or content is None:
            self._json({"error": "Entry not found"}, 404)
            return
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        first = int(wanted[1]) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - first))
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        cuts = self.hub.state.cuts.get(match[2])
        data = content[first : first + cuts.pop(0)] if cuts else content[first:]
        self.hub.state.sent.append((match[2], first, len(data)))
        self.wfile.write(data)
        if first + len(data) < len(content):
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _create(self, asked: dict[str, Any]) -> None:
        state = self.hub.state
        if state.status_of_create:
            return self._json({"error": "forbidden"}, state.status_of_create)
        name = "/".join(filter(None, [asked.get("organization"), asked["name"]]))
        if name in state.repositories:
            return self._json({"error": "You already created this dataset repo", "url": name}, 409)
        state.repositories[name] = {".gitattributes": b""}
        state.private[name] = asked.get("visibility") == "private" or bool(asked.get("private"))
        return self._json({"url": f"{self.hub.url}/datasets/{name}"})

    def _lfs(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if wanted["oid"] in self.hub.state.objects:
            return wanted
        return {**wanted, "actions": {"upload": {"href": f"{self.hub.url}/lfs/{wanted['oid']}"}}}

    def _commit(self, name: str, body: bytes) -> None:
        files = self.hub.state.repositories[name]
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.hub.state.objects[value["oid"]]
            elif entry["key"] == "deletedFile":
                files.pop(value["path"])
        self.hub.state.commits += 1
        self._json(
            {"commitUrl": f"{self.hub.url}/datasets/{name}/commit/{'b' * 40}", "commitOid": "b" * 40, "success": True}
        )

    def _json(self, content: Any, status: int = 200) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
