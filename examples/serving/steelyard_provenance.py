# SPDX-License-Identifier: Apache-2.0
"""ASGI middleware: says on every response which verified model answers it.

Copy this file beside the server; it needs nothing but Python 3.8. With vLLM: `--middleware steelyard_provenance.Provenance`.
`steelyard provenance write` writes the document that it reads (default: /run/steelyard/provenance.json, or the environment
variable STEELYARD_PROVENANCE). While every file is as it was verified, x-model-sha and x-bom-id have the release's digests.
Otherwise both say `unknown`, and the health paths answer 503.
"""

import json
import os
import time

NAMES = (b"x-model-sha", b"x-bom-id", b"x-adapter-sha")
UNKNOWN = [(b"x-model-sha", b"unknown"), (b"x-bom-id", b"unknown")]
AGE = 1.0  # seconds that one look at the files serves


class Provenance:
    def __init__(self, app, path=None, health=("/healthz", "/health")):
        self.app = app
        self.path = path or os.environ.get("STEELYARD_PROVENANCE", "/run/steelyard/provenance.json")
        self.health = health
        self.asked = None
        self.answer = UNKNOWN

    def headers(self):
        """The headers as pairs of bytes; UNKNOWN if a file changed, or the document cannot be read."""
        now = time.monotonic()
        if self.asked is None or now - self.asked >= AGE:
            self.asked = now
            try:
                self.answer = self._look()
            except Exception:  # whatever it is, nothing is known
                self.answer = UNKNOWN
        return self.answer

    def _look(self):
        with open(self.path, encoding="utf-8") as file:
            document = json.load(file)
        if document["schema"] != "steelyard/provenance/1":
            raise ValueError(document["schema"])
        for place in document["files"] + document["folders"]:
            s = os.stat(os.path.join(document["root"], place["path"]))
            if [str(v) for v in (s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)] != place["stat"]:
                raise ValueError(place["path"])
        values = (document["modelSha"], document["bomId"], document.get("adapterSha"))
        return [(name, value.encode("ascii")) for name, value in zip(NAMES, values) if value is not None]

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = self.headers()

        async def tagged(message):
            if message["type"] in ("http.response.start", "websocket.accept", "websocket.http.response.start"):
                kept = [pair for pair in message.get("headers", []) if bytes(pair[0]).lower() not in NAMES]
                message = {**message, "headers": kept + headers}
            await send(message)

        if scope["type"] == "http" and headers is UNKNOWN and scope["path"] in self.health:
            body = b'{"status":"unknown"}\n'
            kind = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await tagged({"type": "http.response.start", "status": 503, "headers": kind})
            return await send({"type": "http.response.body", "body": body})
        await self.app(scope, receive, tagged)
